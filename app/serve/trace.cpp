// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace sheaf::app::serve {

namespace {

/// Not for secrets: only to differ from others.
std::string random_hex16() {
  thread_local std::mt19937_64 random{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64{seed};
  }()};
  return fmt::format("{:016x}", random() | 1); // never all zeros
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

/// Section 3.2.2: a later version may have more fields behind a dash.
bool is_valid(std::string_view x) {
  if (x.size() < 55 || x[2] != '-' || x[35] != '-' || x[52] != '-')
    return false;
  const auto version = x.substr(0, 2);
  if (!is_hex(version) || version == "ff" || (version == "00" ? x.size() != 55 : x.size() > 55 && x[55] != '-'))
    return false;
  return is_hex(x.substr(3, 32)) && is_hex(x.substr(36, 16)) && is_hex(x.substr(53, 2)) && !is_zero(x.substr(3, 32)) &&
         !is_zero(x.substr(36, 16));
}

} // namespace

std::string trace::header() const { return fmt::format("00-{}-{}-{}", id, span, flags); }

trace continue_trace(std::string_view traceparent) {
  trace made;
  made.span = random_hex16();
  if (is_valid(traceparent)) {
    made.id = traceparent.substr(3, 32);
    made.flags = traceparent.substr(53, 2);
  } else {
    made.id = random_hex16() + random_hex16();
  }
  return made;
}

std::string request_id(std::string_view given) {
  const auto is_sane = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; };
  if (!given.empty() && given.size() <= 128 && std::all_of(given.begin(), given.end(), is_sane))
    return std::string{given};
  return random_hex16();
}

} // namespace sheaf::app::serve
