// SPDX-License-Identifier: BSD-3-Clause
//
// One request and its answer while they are under way: an idle connection has none. On its loop's thread.

#pragma once

#include "app/serve/gzip.hpp"
#include "app/serve/reply_writer.hpp"
#include "app/serve/response.hpp"
#include "app/serve/route_table.hpp"
#include "app/serve/row_stream.hpp"
#include "app/serve/target.hpp"
#include "app/serve/trace.hpp"

#include "sheaf/clock.hpp"
#include "sheaf/engine.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf::app::serve {

using request_parser = http::request_parser<http::string_body>;

/// A header field; empty when it is not there.
inline std::string_view field_of(const http::request<http::string_body>& x, http::field name) {
  const auto text = x[name];
  return {text.data(), text.size()};
}

struct exchange {
  boost::beast::flat_buffer unread; ///< Received, not yet understood; bytes behind the request stay in it.

  std::optional<request_parser> parser;
  std::size_t head_bytes = 0;
  bool head_done = false;                            ///< And looked at.
  std::size_t body_bytes = 0;                        ///< Those on their way, with the frames of chunks.
  std::optional<http::request_header<>> head_fields; ///< The head before a body in chunks, which has fields behind it.
  clock::time_point began;

  target asked;
  const route* where = nullptr;
  serve::trace trace;
  std::string id; ///< Empty until the head was looked at.

  request_handle running;
  std::optional<std::size_t> stream_of; ///< The position of the database of which it counts as a stream.
  std::vector<std::string> databases;   ///< The databases of the running request's queries.
  answer_form form;
  bool on_shared_session = false;

  std::string out, piece; ///< The bytes being written; a part of the body in the making.
  std::optional<reply_writer> rows;
  std::shared_ptr<row_stream> stream; ///< Null for most.
  std::optional<gzip> zip;
  bool is_chunked = false;
  bool ends_with_connection = false; ///< The end of the connection is that of the answer, which is not yet whole.
  std::size_t unread_bytes = 0;      ///< The bytes held of the answer, as `traffic` counts them.
  http::status status = http::status::ok;
  std::uint64_t bytes_sent = 0;
  std::string code, detail; ///< Words for the log.
  std::string timeline;     ///< The queries' times, for the page; see `finished_request`.

  const http::request<http::string_body>& request() const { return parser->get(); }

  /// Ready for the next request, in the same memory; `unread` is kept.
  void reset(std::size_t body_bytes_max) {
    parser.emplace(); // which stops behind the head, so that this can be looked at first
    parser->header_limit(static_cast<std::uint32_t>(-1)); // counted here: Beast 1.81 limits what comes at once
    parser->body_limit(body_bytes_max);
    head_bytes = 0;
    head_done = false;
    body_bytes = 0;
    head_fields.reset();
    asked = {};
    where = nullptr;
    id.clear();
    running = {};
    stream_of.reset();
    databases.clear();
    form = {};
    on_shared_session = false;
    out.clear();
    piece.clear();
    rows.reset();
    stream.reset();
    zip.reset();
    is_chunked = false;
    ends_with_connection = false;
    status = http::status::ok;
    bytes_sent = 0;
    code.clear();
    detail.clear();
    timeline.clear();
  }
};

} // namespace sheaf::app::serve
