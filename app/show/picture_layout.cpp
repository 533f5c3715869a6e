// SPDX-License-Identifier: BSD-3-Clause
//
// The places of a picture's parts. Any thread.

#include "app/show/picture_layout.hpp"

#include "app/base/duration.hpp"
#include "app/base/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sheaf::app {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t name_columns_max = 26;
/// The bar of the sum of the queries' times is cut when that is more than this times the elapsed time: the others would
/// not be seen.
constexpr double serial_share_max = 2.5;

std::string note_of(const outcome& of, const phases& when) {
  const auto ran = when.ran ? to_text(when.running()) : std::string{"never ran"};
  const auto* why = of.error_info();
  return why ? fmt::format("{}, {}", ran, to_string(why->code)) : ran;
}

double share(nanoseconds of, nanoseconds whole) noexcept {
  return static_cast<double>(std::min(of, whole).count()) / static_cast<double>(whole.count());
}

} // namespace

double text_width(std::string_view text, double font) { return static_cast<double>(display_width(text)) * font * 0.62; }

layout::layout(const reply& got) : serial(got.serial_sum()) {
  std::vector<phases> all;
  all.reserve(got.outcomes.size());
  for (const auto& of : got.outcomes)
    all.push_back(phases_of(of.times, got.elapsed));
  path = critical_path(all);
  const auto shown = std::min(all.size(), pictured_queries_max);
  left_out = all.size() - shown;
  for (std::size_t i = 0; i < shown; ++i)
    rows.push_back({.when = all[i],
                    .name = shortened(one_line(got.outcomes[i].name), name_columns_max, true),
                    .note = note_of(got.outcomes[i], all[i]),
                    .ok = got.outcomes[i].ok()});
  row_height = shown <= 12 ? 28 : shown <= 60 ? 20 : 13;
  bar_height = shown <= 12 ? 18 : shown <= 60 ? 13 : 9;
  font = shown <= 12 ? 13 : shown <= 60 ? 12 : 10;

  auto names = text_width(serial_name, 12);
  // When not all are shown, the time is that of those that are.
  auto last = std::max(left_out > 0 ? nanoseconds::zero() : got.elapsed, nanoseconds{1000});
  for (const auto& row : rows) {
    names = std::max(names, text_width(row.name, font) * 1.06); // the critical path's are bold
    if (row.when.ran || left_out == 0)
      last = std::max(last, row.when.end);
  }
  cut = static_cast<double>(serial.count()) > serial_share_max * static_cast<double>(last.count());
  span = cut ? last : std::max(last, serial);
  serial_note = fmt::format("{} ({:.1f} at once)", to_text(serial), got.overlap());

  left = edge + names + gap;
  right = width - edge - 24; // half a tick's label
  make_room(serial, text_width(serial_note, 12));
  for (const auto& row : rows)
    make_room(row.when.end, text_width(row.note, font) + (row.ok ? 0 : cross_width));

  repeats_axis = shown > 30;
  bottom = rows_top + static_cast<double>(shown) * row_height;
  serial_middle = bottom + (left_out > 0 ? 18 : 0) + (repeats_axis ? 18 : 0) + (serial > nanoseconds::zero() ? 40 : 26);
  legend_middle = serial_middle + 40;
  height = legend_middle + 18;
}

/// Moves the right end of the scale so that a note of this width fits behind a bar that ends then.
void layout::make_room(nanoseconds end, double note) {
  const auto most = width - edge - gap - note - left;
  if (end > nanoseconds::zero())
    right = std::min(right, left + most / share(end, span));
}

double layout::x_of(nanoseconds time) const noexcept { return left + (right - left) * share(time, span); }

double layout::middle_of(std::size_t row) const noexcept {
  return rows_top + (static_cast<double>(row) + 0.5) * row_height;
}

double layout::end_of(std::size_t row) const noexcept {
  const auto& when = rows[row].when;
  return when.ran ? std::max(x_of(when.end), x_of(when.acquired) + sliver) : x_of(when.end);
}

} // namespace sheaf::app
