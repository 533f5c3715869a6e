// SPDX-License-Identifier: BSD-3-Clause
//
// Draws a reply's times to scale. Every query that ran shows at least one sign, however short it was. Any thread.

#include "app/show/timeline.hpp"

#include "app/base/duration.hpp"
#include "app/base/text.hpp"
#include "app/show/packs.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sheaf::app {

namespace {

constexpr std::size_t lines_max = 40;
constexpr std::size_t name_width_max = 24;
constexpr std::size_t note_width = 28; // "  ran 61.2 ms, waited 120 ms"

struct signs {
  std::string_view waiting, running;
};

signs signs_of(const terminal& where) { return where.utf8 ? signs{"░", "█"} : signs{".", "#"}; }

std::string repeated(std::string_view sign, std::size_t count) {
  std::string out;
  out.reserve(sign.size() * count);
  while (count-- > 0)
    out += sign;
  return out;
}

/// The time in which a query had a session, since its request was taken. Before that it waited for one, or for its turn
/// within the width.
struct span {
  std::chrono::nanoseconds acquired, end;
  bool ran;

  std::chrono::nanoseconds running() const noexcept { return end - acquired; }
};

span span_of(const query_times& times, std::chrono::nanoseconds elapsed) noexcept {
  if (times.acquired < times.acquired.zero())
    return {elapsed, elapsed, false};
  return {times.acquired, std::max({times.acquired, times.sent, times.first_row, times.last_row, times.answered}),
          true};
}

std::string bar(const span& when, bool ok, double columns_per_nanosecond, std::size_t width, const terminal& where) {
  const auto column = [&](std::chrono::nanoseconds time, auto round) {
    const auto at = round(static_cast<double>(time.count()) * columns_per_nanosecond);
    return std::min(width, static_cast<std::size_t>(std::max(at, 0.0)));
  };
  const auto down = [](double x) { return std::floor(x); };
  const auto up = [](double x) { return std::ceil(x); };
  const auto acquired = std::min(column(when.acquired, down), when.ran ? width - 1 : width);
  const auto end = when.ran ? std::max(column(when.end, up), acquired + 1) : acquired;
  const auto [waiting, running] = signs_of(where);
  return paint(where, style::waiting, repeated(waiting, acquired)) +
         paint(where, ok ? style::good : style::bad, repeated(running, end - acquired)) + std::string(width - end, ' ');
}

std::string note(const outcome& of, const span& when) {
  std::string text;
  if (const auto* why = of.error_info())
    text = fmt::format("{}, ", to_string(why->code));
  if (of.pack != 0)
    text += fmt::format("in pack {}, ", of.pack);
  text += when.ran ? fmt::format("ran {}", to_text(when.running())) : "never ran";
  if (when.acquired >= std::chrono::microseconds{500})
    text += fmt::format(", waited {}", to_text(when.acquired));
  return text;
}

} // namespace

std::string timeline(const reply& got, const terminal& where) {
  const auto shown = std::min(got.outcomes.size(), lines_max);
  std::size_t name_width = 0;
  for (std::size_t i = 0; i < shown; ++i)
    name_width = std::max(name_width, display_width(one_line(got.outcomes[i].name)));
  name_width = std::min(name_width, name_width_max);
  const auto taken = 2 + name_width + 2 + 2 + note_width;
  const auto width = std::max<std::size_t>(static_cast<std::size_t>(where.width), taken + 16) - taken;
  const auto scale = static_cast<double>(width) / static_cast<double>(std::max(got.elapsed.count(), std::int64_t{1}));

  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& of = got.outcomes[i];
    const auto name = padded(shortened(one_line(of.name), name_width, where.utf8), name_width);
    const auto when = span_of(of.times, got.elapsed);
    out += fmt::format("  {}  {}  {}\n", name, bar(when, of.ok(), scale, width, where),
                       paint(where, of.ok() ? style::dim : style::bad, note(of, when)));
  }
  if (shown < got.outcomes.size())
    out += fmt::format("  and {} more queries\n", got.outcomes.size() - shown);
  const auto [waiting, running] = signs_of(where);
  out += fmt::format("  {:{}}  0{:>{}}\n", "", name_width, to_text(got.elapsed), width - 1);
  out += fmt::format("  {} waiting for a session or its opening   {} running\n", paint(where, style::waiting, waiting),
                     paint(where, style::good, running));
  if (const auto packs = packs_text(got); !packs.empty())
    out += fmt::format("  {}, each on one session: the times of a pack are those of all its queries\n", packs);
  return out;
}

} // namespace sheaf::app
