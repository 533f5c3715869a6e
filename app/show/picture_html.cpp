// SPDX-License-Identifier: BSD-3-Clause
//
// A reply as a page: the picture, and the same in numbers for readers who cannot see it. Any thread.

#include "app/base/duration.hpp"
#include "app/base/markup.hpp"
#include "app/show/failure_text.hpp"
#include "app/show/picture.hpp"
#include "app/show/picture_phases.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <span>

namespace sheaf::app {

namespace {

constexpr std::string_view page_style = R"(
:root{color-scheme:light dark}
body{margin:1.5rem auto;max-width:62rem;padding:0 1rem;background:#ffffff;color:#1b2430;
font:15px/1.5 ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
svg{max-width:100%;height:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #dde2e8}
thead th{border-bottom:2px solid #55606e}
th:first-child,td:nth-child(2),th:nth-child(2){text-align:left}
tbody th{font-weight:400;overflow-wrap:anywhere}
.bad{color:#b3261e}
h2{font-size:1rem;margin:1rem 0 0}
pre{margin:.25rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){
body{background:#14191f;color:#e6eaef}
th,td{border-color:#2b333d}
thead th{border-color:#a3aebb}
.bad{color:#ff8a80}
}
)";

void append_row(std::string& out, const outcome& of, const phases& when) {
  const auto executed = when.ran ? to_text(when.answered - when.acquired) : std::string{"–"};
  const auto fetched = when.ran ? to_text(when.end - when.answered) : std::string{"–"};
  std::string result = result_text(of);
  if (const auto* why = of.error_info(); why && !why->message.empty())
    result += ": " + why->message;
  if (of.pack != 0)
    result += fmt::format(" (in pack {})", of.pack);
  fmt::format_to(std::back_inserter(out),
                 "<tr><th scope=\"row\" dir=\"auto\">{}</th><td{}>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
                 "</tr>\n",
                 markup(of.name), of.ok() ? "" : " class=\"bad\"", markup(result), to_text(when.acquired), executed,
                 fetched, to_text(when.end));
}

/// The queries that there is room for.
std::span<const outcome> shown_of(const reply& got) noexcept {
  return std::span{got.outcomes}.first(std::min(got.outcomes.size(), pictured_queries_max));
}

void append_table(std::string& out, const reply& got) {
  out += "<table>\n<caption>Queries: how long each waited, was executed and was fetched</caption>\n<thead><tr>";
  for (const auto* heading : {"query", "rows or error", "queued", "executed", "fetched", "total"})
    fmt::format_to(std::back_inserter(out), "<th scope=\"col\">{}</th>", heading);
  out += "</tr></thead>\n<tbody>\n";
  const auto shown = shown_of(got);
  for (const auto& of : shown)
    append_row(out, of, phases_of(of.times, got.elapsed));
  out += "</tbody>\n</table>\n";
  if (const auto more = got.outcomes.size() - shown.size(); more > 0)
    fmt::format_to(std::back_inserter(out), "<p>and {} more queries</p>\n", more);
}

void append_notices(std::string& out, const reply& got) {
  const auto said = show_notices(shown_of(got));
  if (said.empty())
    return;
  out += "<h2>Notices</h2>\n<pre dir=\"auto\">";
  for (std::size_t begin = 0; begin < said.size();) {
    const auto end = said.find('\n', begin);
    append_markup(out, std::string_view{said}.substr(begin, end - begin));
    out += '\n';
    begin = end + 1;
  }
  out += "</pre>\n";
}

} // namespace

std::string to_html(const reply& got, std::string_view title) {
  const auto name = markup(title);
  auto out = fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                         name, page_style);
  out += to_svg(got, title);
  if (got.failure)
    fmt::format_to(std::back_inserter(out), "<p class=\"bad\">failed: {}</p>\n", markup(to_string(*got.failure)));
  append_table(out, got);
  append_notices(out, got);
  out += "</main>\n</body>\n</html>\n";
  return out;
}

} // namespace sheaf::app
