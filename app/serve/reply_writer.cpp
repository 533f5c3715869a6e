// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/reply_writer.hpp"

#include "app/serve/problem.hpp"

#include "app/base/duration.hpp"
#include "app/base/json_text.hpp"
#include "app/show/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sheaf::app::serve {

namespace {

void append_milliseconds(std::string& out, std::string_view name, std::chrono::nanoseconds time) {
  if (time < time.zero())
    fmt::format_to(std::back_inserter(out), "\"{}\":null,", name);
  else
    fmt::format_to(std::back_inserter(out), "\"{}\":{:.3f},", name, in_ms(time));
}

void append_times(std::string& out, const outcome& of, std::string_view database) {
  const auto& times = of.times;
  out += '{';
  append_milliseconds(out, "queued_ms", times.queued);
  append_milliseconds(out, "acquired_ms", times.acquired);
  append_milliseconds(out, "sent_ms", times.sent);
  append_milliseconds(out, "first_row_ms", times.first_row);
  append_milliseconds(out, "last_row_ms", times.last_row);
  append_milliseconds(out, "released_ms", times.released);
  append_milliseconds(out, "answered_ms", times.answered);
  if (of.pack != 0)
    fmt::format_to(std::back_inserter(out), "\"pack\":{},", of.pack);
  out += "\"database\":";
  append_json_string(out, database);
  out += '}';
}

} // namespace

reply_writer::reply_writer(reply got, std::vector<std::string> databases, row_writer rows,
                           std::optional<std::size_t> written)
  : reply_(std::move(got)), databases_(std::move(databases)), written_(written), rows_(std::move(rows)) {}

std::string reply_writer::begin(std::string_view name) {
  std::string out = "{\"results\":{";
  append_json_string(out, name);
  return out += ':';
}

bool reply_writer::write(std::string& out, std::size_t bytes_max) {
  const auto& all = reply_.outcomes;
  if (part_ == part::head) {
    if (written_) {
      row_writer::end(out, all[*written_].table());
      any_ = true;
    } else {
      out += "{\"results\":{";
    }
    part_ = part::results;
  }
  for (; part_ == part::results; ++outcome_) {
    if (outcome_ == all.size()) {
      out += "},\"errors\":{";
      part_ = part::errors;
      any_ = false;
      break;
    }
    if (outcome_ != written_ && all[outcome_].ok() && !write_result(out, all[outcome_], bytes_max))
      return false;
  }
  if (part_ == part::errors) {
    for (const auto& x : all)
      if (!x.ok())
        write_error(begin_member(out, x.name), x);
    part_ = part::timing;
  }
  if (part_ == part::timing) {
    write_timing(out);
    part_ = part::done;
  }
  return true;
}

std::size_t reply_writer::value_bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto& x : reply_.outcomes)
    if (const auto* rows = std::get_if<table>(&x.data))
      sum += rows->bytes();
  return sum;
}

std::string& reply_writer::begin_member(std::string& out, std::string_view name) {
  if (any_)
    out += ',';
  any_ = true;
  append_json_string(out, name);
  out += ':';
  return out;
}

bool fits_shape(const table& x, answer_shape shape) noexcept {
  return shape != answer_shape::scalar || !returns_rows(x) || (x.rows() == 1 && x.columns() == 1);
}

/// False when `out` is full before its last row.
bool reply_writer::write_result(std::string& out, const outcome& x, std::size_t bytes_max) {
  const auto& rows = x.table();
  if (!within_) {
    begin_member(out, x.name);
    if (rows_.shape() == answer_shape::scalar) {
      if (returns_rows(rows))
        rows_.write_cell(out, rows, 0, 0);
      else
        fmt::format_to(std::back_inserter(out), "{}", rows.affected_rows());
      return true;
    }
    rows_.begin(out, rows);
    within_ = true;
    row_ = 0;
  }
  row_ = rows_.write(out, rows, row_, bytes_max);
  if (row_ < rows.rows())
    return false;
  row_writer::end(out, rows);
  within_ = false;
  return true;
}

void reply_writer::write_error(std::string& out, const outcome& x) const {
  const auto& why = *x.error_info();
  out += "{\"code\":";
  append_json_string(out, to_string(why.code));
  out += ",\"message\":";
  append_json_string(out, public_message(why));
  out += ",\"phase\":";
  if (why.phase != phase::none)
    append_json_string(out, to_string(why.phase));
  else
    out += "null";
  out += '}';
}

void reply_writer::write_timing(std::string& out) const {
  out += '}';
  if (rows_.replaced() > 0)
    fmt::format_to(std::back_inserter(out), ",\"replaced_values\":{}", rows_.replaced());
  out += ",\"timing\":{";
  append_milliseconds(out, "elapsed_ms", reply_.elapsed);
  append_milliseconds(out, "serial_sum_ms", reply_.serial_sum());
  fmt::format_to(std::back_inserter(out), "\"overlap\":{:.2f},\"queries\":{{", reply_.overlap());
  for (std::size_t i = 0; i < reply_.outcomes.size(); ++i) {
    if (i > 0)
      out += ',';
    append_json_string(out, reply_.outcomes[i].name);
    out += ':';
    append_times(out, reply_.outcomes[i], databases_[i]);
  }
  out += "}}}";
}

std::string timeline_of(const reply& got, const std::vector<std::string>& databases, bool on_shared_session,
                        bool tells_details) {
  std::string out = "{";
  append_milliseconds(out, "elapsed_ms", got.elapsed);
  fmt::format_to(std::back_inserter(out), "\"overlap\":{:.2f},\"session\":\"{}\",\"queries\":[", got.overlap(),
                 on_shared_session ? "shared" : "own");
  const auto n = std::min({got.outcomes.size(), databases.size(), timeline_queries_max});
  for (std::size_t i = 0; i < n; ++i) {
    const auto& x = got.outcomes[i];
    append_json_string(out += i > 0 ? ",{\"name\":" : "{\"name\":", x.name);
    append_times(out += ",\"times\":", x, databases[i]);
    fmt::format_to(std::back_inserter(out), ",\"attempts\":{}", x.attempts);
    if (const auto* why = x.error_info()) {
      append_json_string(out += ",\"code\":", to_string(why->code));
      if (tells_details)
        append_json_string(out += ",\"detail\":", to_string(*why));
    } else if (const auto* rows = std::get_if<table>(&x.data)) {
      fmt::format_to(std::back_inserter(out), ",\"{}\":{}", returns_rows(*rows) ? "rows" : "affected_rows",
                     returns_rows(*rows) ? rows->rows() : rows->affected_rows());
    }
    out += '}';
  }
  fmt::format_to(std::back_inserter(out), "],\"left_out\":{}}}", got.outcomes.size() - n);
  return out;
}

std::string server_timing(const reply& got) {
  return fmt::format("db;dur={:.3f}, overlap;desc=\"{:.2f} queries at once\"", in_ms(got.elapsed), got.overlap());
}

} // namespace sheaf::app::serve
