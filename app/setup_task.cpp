// SPDX-License-Identifier: BSD-3-Clause

#include "setup_task.hpp"

#include "csv.hpp"
#include "native_connection.hpp"
#include "text_file.hpp"

#include <soci/soci.h>

#include <fmt/format.h>

namespace sheaf::app {

namespace {

/// A scenario's rows are read into memory.
constexpr std::size_t csv_mebibytes_max = 256;

[[noreturn]] void fail(errc code, std::string message) {
  throw error({.code = code, .phase = phase::execute, .message = std::move(message), .reached_server = true});
}

/// `"a""b"`: a name as SQL takes it, whatever is in it.
std::string as_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name)
    out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::size_t load_csv(native_connection& to, const setup_spec& step) {
  const auto text = read_text_file(step.csv.string(), csv_mebibytes_max);
  if (text.has_error())
    fail(errc::invalid_request, fmt::format("{}: {}", step.csv.string(), text.error().message));
  const auto parsed = parse_csv(*text);
  if (parsed.has_error())
    fail(errc::invalid_request, fmt::format("{}: {}", step.csv.string(), parsed.error().message));
  std::string names, places;
  for (std::size_t i = 0; i < parsed->columns.size(); ++i) {
    names += (i > 0 ? ", " : "") + as_identifier(parsed->columns[i]);
    places += (i > 0 ? ", " : "") + to.placeholder(i + 1);
  }
  const auto sql = fmt::format("insert into {} ({}) values ({})", as_identifier(step.into), names, places);
  for (std::size_t i = 0; i < parsed->rows.size(); ++i)
    try {
      to.run(sql, parsed->rows[i]);
    } catch (const error& e) {
      fail(e.why().code, fmt::format("{}: line {}: {}", step.csv.string(), parsed->lines[i], e.why().message));
    }
  return parsed->rows.size();
}

} // namespace

query make_setup_query(std::span<const setup_spec> steps, std::string name) {
  auto made =
      query::of_task(std::move(name), [all = std::vector<setup_spec>(steps.begin(), steps.end())](soci::session& s) {
        const auto to = connection_of(s);
        std::size_t rows = 0;
        to->run("begin", {});
        for (const auto& step : all)
          if (step.csv.empty())
            to->run(step.sql, {});
          else
            rows += load_csv(*to, step);
        to->run("commit", {});
        return rows;
      });
  made.database = steps.front().database;
  return made;
}

} // namespace sheaf::app
