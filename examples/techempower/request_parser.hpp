// SPDX-License-Identifier: BSD-3-Clause
//
// Beast's HTTP parser, keeping of a request no more than this service asks: nothing is stored, nothing allocated.

#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <cstdint>

namespace techempower {

namespace http = boost::beast::http;

/// Holds one request's header. A parser is for one request.
class request_parser final : public http::basic_parser<true> {
public:
  enum class resource { db, queries, none };

  static constexpr std::uint32_t header_bytes_max = 8 << 10;

  request_parser() {
    header_limit(header_bytes_max);
    body_limit(boost::none); // a body is refused by the service, with an answer
    eager(false);            // and never read
  }

  /// Parses the bytes that have come, and says how many of them are not needed any more. `need_more`, as long as they
  /// are but a part.
  std::size_t take(boost::asio::const_buffer bytes, boost::beast::error_code& why);

  resource asked() const noexcept { return asked_; }
  http::verb method() const noexcept { return method_; }
  std::size_t queries() const noexcept { return queries_; } ///< 1 to `queries_max`.
  bool is_http_1_0() const noexcept { return version_ == 10; }
  bool has_body() const { return !is_done(); }

private:
  using text = boost::beast::string_view;
  using error = boost::beast::error_code;

  void on_request_impl(http::verb method, text, text target, int version, error&) override;
  void on_field_impl(http::field name, text, text, error&) override { hosts_ += name == http::field::host; }
  void on_header_impl(error& e) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error&) override {}
  std::size_t on_body_impl(text part, error&) override { return part.size(); }
  void on_chunk_header_impl(std::uint64_t, text, error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text part, error&) override { return part.size(); }
  void on_finish_impl(error&) override {}
  void on_response_impl(int, text, int, error&) override {}

  resource asked_ = resource::none;
  http::verb method_ = http::verb::unknown;
  std::size_t queries_ = 1;
  int version_ = 11, hosts_ = 0;
  std::size_t bytes_ = 0; ///< Taken.
};

} // namespace techempower
