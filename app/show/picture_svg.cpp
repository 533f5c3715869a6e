// SPDX-License-Identifier: BSD-3-Clause
//
// Draws a reply as SVG. All queries share one scale; one that ran shows at least a sliver, however short it was. Any
// thread.

#include "app/base/duration.hpp"
#include "app/base/markup.hpp"
#include "app/base/text.hpp"
#include "app/show/packs.hpp"
#include "app/show/picture.hpp"
#include "app/show/picture_axis.hpp"
#include "app/show/picture_layout.hpp"
#include "app/show/picture_phases.hpp"
#include "app/show/picture_style.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace sheaf::app {

namespace {

using std::chrono::nanoseconds;

constexpr auto width = layout::width;
constexpr auto edge = layout::edge;
constexpr auto gap = layout::gap;

/// A text, a little above the middle `y` by half its height.
struct label {
  double x, y, font;
  std::string_view anchor = "start";
  std::string_view kind = {};
};

class drawing {
public:
  drawing(const reply& got, std::string_view title) : reply_(got), title_(title), at_(got) {}

  std::string draw() {
    out_.reserve(4096 + at_.rows.size() * 512);
    append_head();
    append_axis();
    for (std::size_t i = 0; i < at_.rows.size(); ++i)
      append_row(i);
    append_path();
    for (std::size_t i = 0; i < at_.rows.size(); ++i)
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
           middle - at_.bar_height / 2, to - from, at_.bar_height);
  }

  void append_line(std::string_view kind, double x1, double y1, double x2, double y2) {
    append("<line class=\"{}\" x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\"/>\n", kind, x1, y1, x2, y2);
  }

  std::string summary() const {
    const auto count = reply_.outcomes.size();
    auto out = fmt::format("{} {} in {}", count, count == 1 ? "query" : "queries", to_text(reply_.elapsed));
    if (const auto packs = packs_text(reply_); !packs.empty())
      out += "; " + packs;
    if (count > 1 && at_.serial > nanoseconds::zero() && reply_.overlap() > 0)
      out +=
          fmt::format("; their times add up to {}: {:.1f} at once on average", to_text(at_.serial), reply_.overlap());
    return out;
  }

  void append_head() {
    const auto height = at_.height;
    append("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sheaf\" viewBox=\"0 0 {0} {1:.0f}\" width=\"{0}\" "
           "height=\"{1:.0f}\" role=\"img\" aria-label=\"{2}\">\n",
           width, height, markup(title_));
    append("<title>{}</title>\n<desc>{}</desc>\n<style>{}</style>\n", markup(title_), markup(summary()), picture_style);
    append("<rect class=\"paper\" width=\"{}\" height=\"{:.0f}\"/>\n", width, height);
    append_text({.x = edge, .y = 22, .font = 16, .kind = "head"},
                shortened(one_line(title_), reply_.failure ? 60 : 85, true));
    append_text({.x = edge, .y = 44, .font = 12, .kind = "dim"}, summary());
    if (!reply_.failure)
      return;
    const auto code = to_string(reply_.failure->code);
    append_text({.x = width - edge, .y = 22, .font = 12, .anchor = "end", .kind = "bad"},
                fmt::format("failed: {}", code));
  }

  void append_axis() {
    const auto most = static_cast<std::size_t>((at_.right - at_.left) / 80);
    const bool has_serial = at_.serial > nanoseconds::zero();
    const auto grid_bottom = has_serial ? at_.serial_middle + at_.bar_height / 2 + 4 : at_.bottom + 4;
    for (const auto& [at, text] : ticks_of(at_.span, most)) {
      append_line("grid", at_.x_of(at), layout::rows_top - 4, at_.x_of(at), grid_bottom);
      append_text({.x = at_.x_of(at), .y = layout::rows_top - 13, .font = 11, .anchor = "middle", .kind = "dim"}, text);
      if (at_.repeats_axis)
        append_text({.x = at_.x_of(at), .y = at_.serial_middle - 39, .font = 11, .anchor = "middle", .kind = "dim"},
                    text);
    }
    if (reply_.elapsed <= nanoseconds::zero() || reply_.elapsed > at_.span)
      return;
    const auto x = at_.x_of(reply_.elapsed);
    append_line("elapsed", x, layout::rows_top - 4, x, at_.serial_middle - 24);
    append_text(
        {.x = x, .y = at_.serial_middle - 20, .font = 11, .anchor = x > width / 2 ? "end" : "start", .kind = "dim"},
        fmt::format("elapsed {}", to_text(reply_.elapsed)));
  }

  void append_row(std::size_t i) {
    const auto& of = reply_.outcomes[i];
    const auto& when = at_.rows[i].when;
    const auto middle = at_.middle_of(i);
    const bool critical = std::ranges::find(at_.path, i) != at_.path.end();
    append("<g class=\"query{}{}\">\n<title>{}: {}; {}</title>\n", of.ok() ? "" : " failed",
           critical ? " critical" : "", markup(of.name), result_text(of), phases_text(when));
    append("<rect class=\"hover\" x=\"{}\" y=\"{:.2f}\" width=\"{}\" height=\"{}\"/>\n", edge,
           middle - at_.row_height / 2, width - 2 * edge, at_.row_height);
    append_text({.x = at_.left - gap, .y = middle, .font = at_.font, .anchor = "end", .kind = "name"},
                at_.rows[i].name);

    const auto queued = at_.x_of(when.queued), acquired = at_.x_of(when.acquired), answered = at_.x_of(when.answered);
    const auto end = at_.end_of(i);
    if (when.queued > nanoseconds::zero())
      append_bar("turn", at_.left, queued, middle);
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

  /// Behind its bar, and above all lines.
  void append_note(std::size_t i) {
    const bool ok = reply_.outcomes[i].ok();
    const auto middle = at_.middle_of(i);
    auto x = at_.end_of(i) + gap * 0.75;
    if (!ok) {
      const auto r = at_.bar_height * 0.28;
      append("<path class=\"cross\" d=\"M{0:.2f} {1:.2f}l{2:.2f} {2:.2f}m0 -{2:.2f}l-{2:.2f} {2:.2f}\"/>\n", x,
             middle - r, 2 * r);
      x += layout::cross_width;
    }
    append_text({.x = x, .y = middle, .font = at_.font - 1, .kind = ok ? "note dim" : "note bad"}, at_.rows[i].note);
  }

  /// A line below the bars of the critical path, and from each to the one that waited for it.
  void append_path() {
    const auto below = [&](std::size_t i) { return at_.middle_of(i) + at_.bar_height / 2 + 1; };
    std::string line;
    for (std::size_t k = 0; k < at_.path.size(); ++k) {
      const auto i = at_.path[k];
      if (i >= at_.rows.size())
        continue;
      const auto from = at_.x_of(at_.rows[i].when.acquired), to = at_.end_of(i);
      fmt::format_to(std::back_inserter(line), "M{:.2f} {:.2f}H{:.2f}", to, below(i), from);
      if (k + 1 < at_.path.size() && at_.path[k + 1] < at_.rows.size())
        fmt::format_to(std::back_inserter(line), "H{:.2f}V{:.2f}", at_.end_of(at_.path[k + 1]), below(at_.path[k + 1]));
    }
    if (!line.empty())
      append("<path class=\"path\" d=\"{}\"/>\n", line);
  }

  /// The number of queries that are not shown, and the sum of all their times.
  void append_end() {
    if (const auto more = at_.left_out; more > 0)
      append_text({.x = at_.left, .y = at_.bottom + 10, .font = 12}, fmt::format("and {} more queries", more));
    const auto serial = at_.serial;
    if (serial <= nanoseconds::zero())
      return;
    append("<g class=\"serial\">\n<title>{}: {}</title>\n", layout::serial_name, to_text(serial));
    append_text({.x = at_.left - gap, .y = at_.serial_middle, .font = 12, .anchor = "end", .kind = "dim"},
                layout::serial_name);
    const auto end = at_.cut ? at_.right : at_.x_of(serial);
    append_bar("ghost", at_.left, end, at_.serial_middle);
    if (at_.cut) {
      const auto top = at_.serial_middle - at_.bar_height / 2 - 3, high = at_.bar_height + 6;
      const auto x = at_.right - 26;
      append("<path class=\"break\" d=\"M{0:.2f} {1:.2f}h6l-6 {2}h-6z\"/>\n", x, top, high);
      append("<path class=\"edge\" d=\"M{0:.2f} {1:.2f}l-6 {2}m6 0l6 -{2}\"/>\n", x, top, high);
    }
    append_text({.x = end + gap * 0.75, .y = at_.serial_middle, .font = 12, .kind = "dim"}, at_.serial_note);
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
    const auto middle = at_.legend_middle;
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

  const reply& reply_;
  std::string_view title_;
  layout at_;
  std::string out_;
};

} // namespace

std::string to_svg(const reply& got, std::string_view title) { return drawing{got, title}.draw(); }

} // namespace sheaf::app
