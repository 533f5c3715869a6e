// SPDX-License-Identifier: BSD-3-Clause
//
// Draws a reply as SVG. All queries share one scale; one that ran shows at least a sliver, however short it was. Any
// thread.

#include "duration.hpp"
#include "picture.hpp"
#include "picture_axis.hpp"
#include "picture_phases.hpp"
#include "picture_style.hpp"
#include "text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace sheaf::app {

namespace {

using std::chrono::nanoseconds;

// In pixels.
constexpr double width = 960;
constexpr double edge = 16;
constexpr double rows_top = 84;
constexpr double gap = 8;
constexpr double sliver = 2;
constexpr double cross_width = 14;

constexpr std::size_t name_columns_max = 26;
constexpr std::string_view serial_name = "one after another";
/// Where the queries one after another would take more than this times the elapsed time, their bar is cut: the others
/// would not be seen.
constexpr double serial_share_max = 2.5;

struct row_style {
  double height, bar, font;
};

row_style style_for(std::size_t rows) noexcept {
  if (rows <= 12)
    return {28, 18, 13};
  if (rows <= 60)
    return {20, 13, 12};
  return {13, 9, 10};
}

/// About what a text takes; fonts differ, and this is for wide ones.
double text_width(std::string_view text, double font) { return static_cast<double>(display_width(text)) * font * 0.62; }

/// A text, a little above the middle `y` by half its height.
struct label {
  double x, y, font;
  std::string_view anchor = "start";
  std::string_view kind = {};
};

class drawing {
public:
  drawing(const reply& what, std::string_view title)
    : what_(what), title_(title), shown_(std::min(what.outcomes.size(), pictured_queries_max)),
      style_(style_for(shown_)) {
    phases_.reserve(what.outcomes.size());
    for (const auto& of : what.outcomes)
      phases_.push_back(phases_of(of.times, what.elapsed));
    path_ = critical_path(phases_);
    measure();
  }

  std::string draw() {
    out_.reserve(4096 + shown_ * 512);
    append_head();
    append_axis();
    for (std::size_t i = 0; i < shown_; ++i)
      append_row(i);
    append_path();
    for (std::size_t i = 0; i < shown_; ++i)
      append_note(i);
    append_end();
    append_legend();
    out_ += "</svg>\n";
    return std::move(out_);
  }

private:
  template <class... Args>
  void append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void append_text(const label& at, std::string_view text) {
    append("<text x=\"{:.2f}\" y=\"{:.2f}\" font-size=\"{}\"", at.x, at.y + 0.36 * at.font, at.font);
    if (at.anchor != "start")
      append(" text-anchor=\"{}\"", at.anchor);
    if (!at.kind.empty())
      append(" class=\"{}\"", at.kind);
    out_ += '>';
    append_markup(out_, text);
    out_ += "</text>\n";
  }

  void append_bar(std::string_view kind, double from, double to, double middle) {
    append("<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{}\"/>\n", kind, from,
           middle - style_.bar / 2, to - from, style_.bar);
  }

  void append_line(std::string_view kind, double x1, double y1, double x2, double y2) {
    append("<line class=\"{}\" x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\"/>\n", kind, x1, y1, x2, y2);
  }

  std::string note_of(std::size_t i) const {
    const auto* why = what_.outcomes[i].error_info();
    const auto ran = phases_[i].ran ? to_text(phases_[i].running()) : std::string{"never ran"};
    return why ? fmt::format("{}, {}", ran, to_string(why->code)) : ran;
  }

  std::string name_of(std::size_t i) const {
    return shortened(one_line(what_.outcomes[i].name), name_columns_max, true);
  }

  /// Where columns begin and end, and the scale.
  void measure() {
    auto names = text_width(serial_name, 12);
    // Where not all are shown, the time of those that are.
    const auto left_out = what_.outcomes.size() - shown_;
    auto last = std::max(left_out > 0 ? nanoseconds::zero() : what_.elapsed, nanoseconds{1000});
    for (std::size_t i = 0; i < shown_; ++i) {
      names = std::max(names, text_width(name_of(i), style_.font) * 1.06); // the critical path's are bold
      if (phases_[i].ran || left_out == 0)
        last = std::max(last, phases_[i].end);
    }
    const auto serial = what_.serial_sum();
    cut_ = static_cast<double>(serial.count()) > serial_share_max * static_cast<double>(last.count());
    span_ = cut_ ? last : std::max(last, serial);
    left_ = edge + names + gap;
    right_ = width - edge - 24; // half a tick's label
    make_room(cut_ ? span_ : serial, text_width(serial_note(), 12));
    for (std::size_t i = 0; i < shown_; ++i)
      make_room(phases_[i].end, text_width(note_of(i), style_.font) + (what_.outcomes[i].ok() ? 0 : cross_width));
    bottom_ = rows_top + static_cast<double>(shown_) * style_.height;
    serial_middle_ =
        bottom_ + (left_out > 0 ? 18 : 0) + (repeats_axis() ? 18 : 0) + (serial > nanoseconds::zero() ? 40 : 26);
  }

  /// Moves the right end of the scale so that a note of this width fits behind a bar that ends then.
  void make_room(nanoseconds end, double note) {
    const auto share = static_cast<double>(std::min(end, span_).count()) / static_cast<double>(span_.count());
    const auto most = width - edge - gap - note - left_;
    if (share > 0)
      right_ = std::min(right_, left_ + most / share);
  }

  std::string serial_note() const { return fmt::format("{} ({:.1f}×)", to_text(what_.serial_sum()), what_.speed_up()); }

  bool repeats_axis() const noexcept { return shown_ > 30; }

  double x_of(nanoseconds time) const noexcept {
    return left_ +
           (right_ - left_) * static_cast<double>(std::min(time, span_).count()) / static_cast<double>(span_.count());
  }

  double middle_of(std::size_t row) const noexcept {
    return rows_top + (static_cast<double>(row) + 0.5) * style_.height;
  }

  std::string summary() const {
    const auto count = what_.outcomes.size();
    auto out = fmt::format("{} {} in {}", count, count == 1 ? "query" : "queries", to_text(what_.elapsed));
    if (count > 1 && what_.serial_sum() > nanoseconds::zero() && what_.speed_up() > 0)
      out += fmt::format("; one after another they would take {}, {:.1f} times as long", to_text(what_.serial_sum()),
                         what_.speed_up());
    return out;
  }

  void append_head() {
    const auto height = serial_middle_ + 58;
    append("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sheaf\" viewBox=\"0 0 {0} {1:.0f}\" width=\"{0}\" "
           "height=\"{1:.0f}\" role=\"img\" aria-label=\"{2}\">\n",
           width, height, markup(title_));
    append("<title>{}</title>\n<desc>{}</desc>\n<style>{}</style>\n", markup(title_), markup(summary()), picture_style);
    append("<rect class=\"paper\" width=\"{}\" height=\"{:.0f}\"/>\n", width, height);
    append_text({.x = edge, .y = 22, .font = 16, .kind = "head"},
                shortened(one_line(title_), what_.failure ? 60 : 85, true));
    append_text({.x = edge, .y = 44, .font = 12, .kind = "dim"}, summary());
    if (!what_.failure)
      return;
    const auto code = to_string(what_.failure->code);
    append_text({.x = width - edge, .y = 22, .font = 12, .anchor = "end", .kind = "bad"},
                fmt::format("failed: {}", code));
  }

  void append_axis() {
    const auto most = static_cast<std::size_t>((right_ - left_) / 80);
    const bool has_serial = what_.serial_sum() > nanoseconds::zero();
    const auto grid_bottom = has_serial ? serial_middle_ + style_.bar / 2 + 4 : bottom_ + 4;
    for (const auto& [at, text] : ticks_of(span_, most)) {
      append_line("grid", x_of(at), rows_top - 4, x_of(at), grid_bottom);
      append_text({.x = x_of(at), .y = rows_top - 13, .font = 11, .anchor = "middle", .kind = "dim"}, text);
      if (repeats_axis())
        append_text({.x = x_of(at), .y = serial_middle_ - 39, .font = 11, .anchor = "middle", .kind = "dim"}, text);
    }
    if (what_.elapsed <= nanoseconds::zero() || what_.elapsed > span_)
      return;
    const auto x = x_of(what_.elapsed);
    append_line("elapsed", x, rows_top - 4, x, serial_middle_ - 24);
    append_text(
        {.x = x, .y = serial_middle_ - 20, .font = 11, .anchor = x > width / 2 ? "end" : "start", .kind = "dim"},
        fmt::format("elapsed {}", to_text(what_.elapsed)));
  }

  void append_row(std::size_t i) {
    const auto& of = what_.outcomes[i];
    const auto& when = phases_[i];
    const auto middle = middle_of(i);
    const bool critical = std::ranges::find(path_, i) != path_.end();
    append("<g class=\"query{}{}\">\n<title>{}: {}; {}</title>\n", of.ok() ? "" : " failed",
           critical ? " critical" : "", markup(of.name), result_text(of), phases_text(when));
    append("<rect class=\"hover\" x=\"{}\" y=\"{:.2f}\" width=\"{}\" height=\"{}\"/>\n", edge,
           middle - style_.height / 2, width - 2 * edge, style_.height);
    append_text({.x = left_ - gap, .y = middle, .font = style_.font, .anchor = "end", .kind = "name"}, name_of(i));

    const auto queued = x_of(when.queued), acquired = x_of(when.acquired), answered = x_of(when.answered);
    const auto end = end_of(i);
    if (when.queued > nanoseconds::zero())
      append_bar("turn", left_, queued, middle);
    if (when.acquired > when.queued)
      append_bar("session", queued, acquired, middle);
    if (when.ran) {
      const auto fetching = when.end > when.answered && end - answered > 0 ? answered : end;
      append_bar("executing", acquired, fetching, middle);
      if (fetching < end)
        append_bar("fetching", fetching, end, middle);
    }
    out_ += "</g>\n";
  }

  /// Where the bar of a query ends.
  double end_of(std::size_t i) const noexcept {
    const auto end = x_of(phases_[i].end);
    return phases_[i].ran ? std::max(end, x_of(phases_[i].acquired) + sliver) : end;
  }

  /// Behind its bar, and above all lines.
  void append_note(std::size_t i) {
    const bool ok = what_.outcomes[i].ok();
    const auto middle = middle_of(i);
    auto x = end_of(i) + gap * 0.75;
    if (!ok) {
      const auto r = style_.bar * 0.28;
      append("<path class=\"cross\" d=\"M{0:.2f} {1:.2f}l{2:.2f} {2:.2f}m0 -{2:.2f}l-{2:.2f} {2:.2f}\"/>\n", x,
             middle - r, 2 * r);
      x += cross_width;
    }
    append_text({.x = x, .y = middle, .font = style_.font - 1, .kind = ok ? "note dim" : "note bad"}, note_of(i));
  }

  /// A line below the bars of the critical path, and from each to the one that waited for it.
  void append_path() {
    const auto below = [&](std::size_t i) { return middle_of(i) + style_.bar / 2 + 1; };
    std::string line;
    for (std::size_t k = 0; k < path_.size(); ++k) {
      const auto i = path_[k];
      if (i >= shown_)
        continue;
      const auto from = x_of(phases_[i].acquired), to = end_of(i);
      fmt::format_to(std::back_inserter(line), "M{:.2f} {:.2f}H{:.2f}", to, below(i), from);
      if (k + 1 < path_.size() && path_[k + 1] < shown_)
        fmt::format_to(std::back_inserter(line), "H{:.2f}V{:.2f}", end_of(path_[k + 1]), below(path_[k + 1]));
    }
    if (!line.empty())
      append("<path class=\"path\" d=\"{}\"/>\n", line);
  }

  /// How many more there are, and the queries one after another.
  void append_end() {
    if (const auto more = what_.outcomes.size() - shown_; more > 0)
      append_text({.x = left_, .y = bottom_ + 10, .font = 12}, fmt::format("and {} more queries", more));
    const auto serial = what_.serial_sum();
    if (serial <= nanoseconds::zero())
      return;
    append("<g class=\"serial\">\n<title>{}: {}</title>\n", serial_name, to_text(serial));
    append_text({.x = left_ - gap, .y = serial_middle_, .font = 12, .anchor = "end", .kind = "dim"}, serial_name);
    const auto end = cut_ ? right_ : x_of(serial);
    append_bar("ghost", left_, end, serial_middle_);
    if (cut_) {
      const auto top = serial_middle_ - style_.bar / 2 - 3, high = style_.bar + 6;
      const auto x = right_ - 26;
      append("<path class=\"break\" d=\"M{0:.2f} {1:.2f}h6l-6 {2}h-6z\"/>\n", x, top, high);
      append("<path class=\"edge\" d=\"M{0:.2f} {1:.2f}l-6 {2}m6 0l6 -{2}\"/>\n", x, top, high);
    }
    append_text({.x = end + gap * 0.75, .y = serial_middle_, .font = 12, .kind = "dim"}, serial_note());
    out_ += "</g>\n";
  }

  void append_legend() {
    constexpr std::pair<std::string_view, std::string_view> entries[] = {
        {"turn", "waiting for its turn"},
        {"session", "waiting for a session"},
        {"executing", "executing"},
        {"fetching", "fetching"},
        {"cross", "failed"},
        {"path", "critical path"},
    };
    const auto middle = serial_middle_ + 40;
    auto x = edge;
    out_ += "<g class=\"legend\">\n";
    for (const auto& [kind, text] : entries) {
      if (kind == "cross")
        append("<path class=\"cross\" d=\"M{:.2f} {:.2f}l8 8m0 -8l-8 8\"/>\n", x + 8, middle - 4);
      else if (kind == "path")
        append_line("path", x, middle, x + 18, middle);
      else
        append("<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"18\" height=\"10\"/>\n", kind, x, middle - 5);
      append_text({.x = x + 24, .y = middle, .font = 12}, text);
      x += 24 + text_width(text, 12) * 0.85 + 18;
    }
    out_ += "</g>\n";
  }

  const reply& what_;
  std::string_view title_;
  std::size_t shown_;
  row_style style_;
  std::vector<phases> phases_;
  std::vector<std::size_t> path_;
  double left_ = 0, right_ = 0, bottom_ = 0, serial_middle_ = 0;
  nanoseconds span_{1};
  bool cut_ = false;
  std::string out_;
};

} // namespace

std::string to_svg(const reply& what, std::string_view title) { return drawing{what, title}.draw(); }

} // namespace sheaf::app
