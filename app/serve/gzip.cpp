// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/gzip.hpp"

#include "app/base/parse_number.hpp"

#include <zlib.h>

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <new>
#include <optional>

namespace sheaf::app::serve {

namespace {

std::string_view trimmed(std::string_view x) {
  const auto begin = std::min(x.find_first_not_of(" \t"), x.size());
  return x.substr(begin, x.find_last_not_of(" \t") + 1 - begin);
}

/// The weight of `name;q=0.5`, in thousandths; 0 for one that cannot be read.
int weight_of(std::string_view parameters) {
  parameters = trimmed(parameters);
  if (parameters.empty())
    return 1000;
  if (!parameters.starts_with("q=") && !parameters.starts_with("Q="))
    return 0;
  const auto q = parse_number<double>(parameters.substr(2));
  return q && *q >= 0 && *q <= 1 ? static_cast<int>(*q * 1000) : 0;
}

} // namespace

bool takes_gzip(std::string_view accept_encoding) {
  std::optional<int> zipped, plain, others;
  while (!accept_encoding.empty()) {
    const auto one = accept_encoding.substr(0, accept_encoding.find(','));
    accept_encoding.remove_prefix(std::min(one.size() + 1, accept_encoding.size()));
    const auto semicolon = std::min(one.find(';'), one.size());
    const auto name = trimmed(one.substr(0, semicolon));
    const auto weight = weight_of(one.substr(std::min(semicolon + 1, one.size())));
    if (boost::beast::iequals(name, "gzip") || boost::beast::iequals(name, "x-gzip"))
      zipped = weight;
    else if (boost::beast::iequals(name, "identity"))
      plain = weight;
    else if (name == "*")
      others = weight;
  }
  const int weight = zipped.value_or(others.value_or(0));
  return weight > 0 && weight >= plain.value_or(0);
}

void gzip::end::operator()(z_stream_s* x) const noexcept {
  deflateEnd(x);
  delete x;
}

gzip::gzip() : state_(new z_stream{}) {
  constexpr int with_gzip_header = 15 + 16, memory_level = 8;
  // The fastest level: it runs on the loop, where others wait.
  if (deflateInit2(state_.get(), Z_BEST_SPEED, Z_DEFLATED, with_gzip_header, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc{};
}

void gzip::add(std::string& out, std::string_view in, bool is_last) {
  state_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  state_->avail_in = static_cast<uInt>(in.size());
  do {
    constexpr std::size_t room = 1 << 14;
    const auto before = out.size();
    out.resize(before + room);
    state_->next_out = reinterpret_cast<Bytef*>(out.data() + before);
    state_->avail_out = room;
    deflate(state_.get(), is_last ? Z_FINISH : Z_NO_FLUSH);
    out.resize(before + room - state_->avail_out);
  } while (state_->avail_out == 0);
}

} // namespace sheaf::app::serve
