// SPDX-License-Identifier: BSD-3-Clause
//
// A reply in Chrome's trace event format (its JSON object form): a thread per query stands for its lane. Any thread.

#include "app/base/json_text.hpp"
#include "app/show/picture.hpp"
#include "app/show/picture_phases.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace sheaf::app {

namespace {

using std::chrono::nanoseconds;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// Nanoseconds as the format's microseconds, exactly: slices within slices must not stick out.
std::string microseconds(nanoseconds time) { return fmt::format("{}.{:03}", time.count() / 1000, time.count() % 1000); }

class trace {
public:
  /// Names process or lane `tid`.
  void name(std::string_view kind, std::size_t tid, std::string_view text) {
    append(fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"{}","args":{{"name":{}}}}})", tid, kind, quoted(text)));
  }

  void order(std::size_t tid) {
    append(
        fmt::format(R"({{"ph":"M","pid":1,"tid":{0},"name":"thread_sort_index","args":{{"sort_index":{0}}}}})", tid));
  }

  void slice(std::size_t tid, std::string_view text, nanoseconds from, nanoseconds to, std::string_view args = "{}") {
    append(fmt::format(R"({{"ph":"X","pid":1,"tid":{},"name":{},"cat":"query","ts":{},"dur":{},"args":{}}})", tid,
                       quoted(text), microseconds(from), microseconds(to - from), args));
  }

  std::string done() && { return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[" + std::move(events_) + "\n]}\n"; }

private:
  void append(std::string_view event) {
    events_ += events_.empty() ? "\n" : ",\n";
    events_ += event;
  }

  std::string events_;
};

std::string arguments_of(const outcome& of) {
  const auto* rows = std::get_if<table>(&of.data);
  auto out = fmt::format("{{\"attempts\":{}", of.attempts);
  if (rows)
    fmt::format_to(std::back_inserter(out), ",\"rows\":{}", rows->rows());
  if (const auto* why = of.error_info())
    fmt::format_to(std::back_inserter(out), ",\"error\":{},\"message\":{}", quoted(to_string(why->code)),
                   quoted(why->message));
  return out += '}';
}

void append_query(trace& to, std::size_t tid, const outcome& of, const phases& when) {
  to.name("thread_name", tid, of.name);
  to.order(tid);
  to.slice(tid, of.name, nanoseconds::zero(), when.end, arguments_of(of));
  if (when.queued > nanoseconds::zero())
    to.slice(tid, "waiting for its turn", nanoseconds::zero(), when.queued);
  if (when.acquired > when.queued)
    to.slice(tid, "waiting for a session", when.queued, when.acquired);
  if (!when.ran)
    return;
  to.slice(tid, "executing", when.acquired, when.answered);
  if (when.end > when.answered)
    to.slice(tid, "fetching", when.answered, when.end);
}

} // namespace

std::string to_trace(const reply& got, std::string_view title) {
  trace out;
  out.name("process_name", 0, title);
  const auto shown = std::min(got.outcomes.size(), pictured_queries_max);
  for (std::size_t i = 0; i < shown; ++i)
    append_query(out, i + 1, got.outcomes[i], phases_of(got.outcomes[i].times, got.elapsed));
  if (const auto more = got.outcomes.size() - shown; more > 0) {
    out.name("thread_name", shown + 1, fmt::format("and {} more queries", more));
    out.order(shown + 1);
    out.slice(shown + 1, fmt::format("and {} more queries", more), nanoseconds::zero(),
              std::max(got.elapsed, nanoseconds::zero()));
  }
  return std::move(out).done();
}

} // namespace sheaf::app
