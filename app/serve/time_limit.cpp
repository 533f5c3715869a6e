// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/time_limit.hpp"

#include <charconv>

namespace sheaf::app::serve {

result<std::chrono::nanoseconds> parse_grpc_timeout(std::string_view text) {
  using namespace std::chrono_literals;
  const auto refusal = [] {
    return failure{.code = errc::invalid_request,
                   .message = "grpc-timeout is at most eight digits and one of H, M, S, m, u, n"};
  };
  constexpr std::string_view units = "HMSmun";
  constexpr std::chrono::nanoseconds sizes[] = {1h, 1min, 1s, 1ms, 1us, 1ns};
  std::int64_t count = 0;
  const auto unit = text.empty() ? units.npos : units.find(text.back());
  if (unit == units.npos || text.size() < 2 || text.size() > 9)
    return refusal();
  const auto* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || stop != end || count <= 0)
    return refusal();
  constexpr std::chrono::nanoseconds longest = std::chrono::hours{24 * 365};
  return count > longest / sizes[unit] ? longest : count * sizes[unit];
}

} // namespace sheaf::app::serve
