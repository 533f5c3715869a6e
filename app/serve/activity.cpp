// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/activity.hpp"

#include "app/serve/service_log.hpp"

#include "app/base/duration.hpp"
#include "app/base/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sheaf::app::serve {

namespace {

std::int64_t second_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

void append_recent(std::string& out, const finished_request& x) {
  out += "{\"time\":\"";
  append_time(out, x.when);
  out += "\",\"id\":";
  append_json_string(out, x.id);
  out += ",\"request\":";
  append_json_string(out, x.name);
  fmt::format_to(std::back_inserter(out), ",\"status\":{},\"elapsed_ms\":{:.3f},\"code\":", x.status, in_ms(x.took));
  append_json_string(out, x.code);
  out += x.timeline.empty() ? ",\"timeline\":false}" : ",\"timeline\":true}";
}

} // namespace

void activity_batch::add(finished_request x) {
  constexpr unsigned error_from = 400;
  ++requests;
  errors += x.status >= error_from ? 1 : 0;
  timelines += x.timeline.empty() ? 0 : 1;
  times.add(x.took);
  if (recent.size() == recent_max)
    recent.pop_front();
  recent.push_back(std::move(x));
}

void activity::take(activity_batch& from) {
  if (from.requests == 0)
    return;
  const std::lock_guard held{lock_};
  close_seconds();
  requests_ += from.requests;
  errors_ += from.errors;
  times_.merge(from.times);
  for (auto& x : from.recent) { // other loops' may be younger and here already
    const auto at = std::upper_bound(recent_.begin(), recent_.end(), x,
                                     [](const auto& a, const auto& b) { return a.when < b.when; });
    recent_.insert(at, std::move(x));
  }
  while (recent_.size() > activity_batch::recent_max)
    recent_.pop_front();
  from = activity_batch{};
}

void activity::close_seconds() {
  const auto now = second_now();
  if (second_ == now)
    return;
  if (second_ != 0) {
    history_.push_back(
        {second_, requests_, errors_, times_.percentile(50), times_.percentile(95), times_.percentile(99)});
    while (history_.size() > seconds_kept)
      history_.pop_front();
    const auto slice = second_ / 10;
    const auto place = static_cast<std::size_t>(slice) % slices;
    if (slice_of_[place] != slice)
      recent_times_[place] = histogram{};
    slice_of_[place] = slice;
    recent_times_[place].merge(times_);
  }
  second_ = now;
  requests_ = errors_ = 0;
  times_ = histogram{};
}

void activity::append(std::string& out, const second_summary& x) {
  fmt::format_to(
      std::back_inserter(out),
      "{{\"second\":{},\"requests\":{},\"errors\":{},\"p50_ms\":{:.3f},\"p95_ms\":{:.3f},\"p99_ms\":{:.3f}}}", x.second,
      x.requests, x.errors, in_ms(x.p50), in_ms(x.p95), in_ms(x.p99));
}

void activity::append_now(std::string& out) {
  const std::lock_guard held{lock_};
  close_seconds();
  histogram all = times_;
  for (std::size_t i = 0; i < slices; ++i)
    if (slice_of_[i] > second_ / 10 - static_cast<std::int64_t>(slices))
      all.merge(recent_times_[i]);
  out += "\"second\":";
  // The one that has just ended; an old one says nothing of now.
  append(out, !history_.empty() && history_.back().second == second_ - 1 ? history_.back()
                                                                         : second_summary{.second = second_ - 1});
  fmt::format_to(std::back_inserter(out),
                 ",\"minutes\":{{\"requests\":{},\"p50_ms\":{:.3f},\"p95_ms\":{:.3f},\"p99_ms\":{:.3f}}},\"recent\":[",
                 all.count(), in_ms(all.percentile(50)), in_ms(all.percentile(95)), in_ms(all.percentile(99)));
  for (auto x = recent_.rbegin(); x != recent_.rend(); ++x) {
    if (x != recent_.rbegin())
      out += ',';
    append_recent(out, *x);
  }
  out += ']';
}

bool activity::append_one(std::string& out, std::string_view id) {
  const std::lock_guard held{lock_};
  const auto x = std::find_if(recent_.rbegin(), recent_.rend(), [&](const auto& r) { return r.id == id; });
  if (x == recent_.rend())
    return false;
  append_recent(out, *x);
  out.pop_back();
  append_json_string(out += ",\"detail\":", x->detail);
  (out += ",\"timing\":") += x->timeline.empty() ? "null" : x->timeline;
  out += '}';
  return true;
}

void activity::append_history(std::string& out) {
  const std::lock_guard held{lock_};
  close_seconds();
  out += '[';
  for (std::size_t i = 0; i < history_.size(); ++i) {
    if (i > 0)
      out += ',';
    append(out, history_[i]);
  }
  out += ']';
}

} // namespace sheaf::app::serve
