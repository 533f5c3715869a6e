// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/telemetry/engine_log.hpp"

#include "sheaf/base/error_text.hpp"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

namespace sheaf {

namespace {

spdlog::level::level_enum level_of(severity x) noexcept {
  switch (x) {
  case severity::debug:
    return spdlog::level::debug;
  case severity::info:
    return spdlog::level::info;
  case severity::warning:
    break;
  }
  return spdlog::level::warn;
}

bool needs_quotes(std::string_view text) noexcept {
  return text.empty() || std::any_of(text.begin(), text.end(), [](unsigned char c) {
           return c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f || c == 0xc2;
         });
}

} // namespace

bool engine_log::takes(severity x) const noexcept { return to_ && to_->should_log(level_of(x)); }

engine_log::line::line(const engine_log& log, severity how, std::string_view event)
  : log_(log), how_(how), text_(fmt::format("event={}", event)) {}

engine_log::line::~line() {
  if (log_.takes(how_))
    log_.to_->log(level_of(how_), spdlog::string_view_t{text_}); // not a format: braces in it mean nothing
}

engine_log::line& engine_log::line::with(std::string_view key, std::string_view value) {
  text_.append(" ").append(key).append("=");
  if (!needs_quotes(value)) {
    text_ += value;
    return *this;
  }
  std::string line{value};
  blank_controls(line); // one event, one line
  text_ += '"';
  for (const char c : line) {
    if (c == '"' || c == '\\')
      text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

engine_log::line& engine_log::line::with(std::string_view key, std::uint64_t value) {
  fmt::format_to(std::back_inserter(text_), " {}={}", key, value);
  return *this;
}

engine_log::line& engine_log::line::with(std::string_view key, std::chrono::nanoseconds value) {
  fmt::format_to(std::back_inserter(text_), " {}={:.3f}", key,
                 std::chrono::duration<double, std::milli>(value).count());
  return *this;
}

engine_log::line& engine_log::line::with(const failure& why) {
  with_if_any("query", why.query).with("phase", to_string(why.phase)).with("code", to_string(why.code));
  with_if_any("sqlstate", why.sqlstate).with("message", why.message);
  with_if_any("detail", why.detail).with_if_any("context", why.context);
  return with_if_any("table", why.table).with_if_any("column", why.column).with_if_any("constraint", why.constraint);
}

engine_log::line& engine_log::line::with(const notice& said) {
  with("severity", said.severity).with_if_any("sqlstate", said.sqlstate).with("message", said.message);
  return with_if_any("detail", said.detail).with_if_any("hint", said.hint).with_if_any("context", said.context);
}

engine_log::line& engine_log::line::with_if_any(std::string_view key, std::string_view value) {
  return value.empty() ? *this : with(key, value);
}

} // namespace sheaf
