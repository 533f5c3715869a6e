// SPDX-License-Identifier: BSD-3-Clause
//
// The parts that pictures have in common. Any thread.

#include "app/show/picture_phases.hpp"

#include "app/base/duration.hpp"
#include "app/base/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sheaf::app {

phases phases_of(const query_times& times, std::chrono::nanoseconds elapsed) noexcept {
  const auto nothing = std::chrono::nanoseconds::zero();
  const auto whole = std::max(elapsed, nothing);
  phases out;
  out.ran = times.acquired >= nothing;
  if (!out.ran) {
    out.end = out.answered = out.acquired = std::max(whole, times.queued);
    out.queued = times.queued >= nothing ? times.queued : out.end;
    return out;
  }
  out.queued = std::clamp(times.queued, nothing, times.acquired);
  out.acquired = times.acquired;
  out.end = std::max({times.acquired, times.sent, times.first_row, times.last_row, times.released, times.answered});
  out.answered = times.first_row < nothing ? out.end : std::max(times.first_row, out.acquired);
  return out;
}

std::vector<std::size_t> critical_path(const std::vector<phases>& queries) {
  std::vector<std::size_t> by_end;
  for (std::size_t i = 0; i < queries.size(); ++i)
    if (queries[i].ran)
      by_end.push_back(i);
  // Of equals the first stands last, where the search begins.
  std::ranges::sort(by_end, [&](std::size_t a, std::size_t b) {
    return queries[a].end != queries[b].end ? queries[a].end < queries[b].end : a > b;
  });
  std::vector<std::size_t> path;
  auto below = by_end.end();
  while (below != by_end.begin()) {
    const auto position = *--below;
    const auto& here = queries[position];
    // The later query waited for one that had begun before it, and had ended when it got its session.
    if (!path.empty()) {
      const auto& waiting = queries[path.back()];
      if (here.end > waiting.acquired || here.acquired >= waiting.acquired)
        continue;
    }
    path.push_back(position);
  }
  return path;
}

std::string result_text(const outcome& of) {
  if (const auto* why = of.error_info())
    return std::string{to_string(why->code)};
  const auto* rows = std::get_if<table>(&of.data);
  if (!rows)
    return "a value";
  return fmt::format("{} row{}", rows->rows(), rows->rows() == 1 ? "" : "s");
}

std::string phases_text(const phases& when) {
  if (!when.ran)
    return fmt::format("waited {}, never had a session", to_text(when.end));
  return fmt::format("waited {}, executed {}, fetched {}, total {}", to_text(when.acquired),
                     to_text(when.answered - when.acquired), to_text(when.end - when.answered), to_text(when.end));
}

} // namespace sheaf::app
