// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/setup_task.hpp"

#include "app/base/text_file.hpp"
#include "app/file/csv.hpp"

#include "sheaf/backend.hpp"

#include <fmt/format.h>

namespace sheaf::app {

namespace {

/// A scenario's rows are read into memory.
constexpr std::size_t csv_mebibytes_max = 256;

[[noreturn]] void fail(errc code, std::string message) {
  throw error({.code = code, .phase = phase::execute, .message = std::move(message), .reached_server = true});
}

/// Runs a statement; its failure is the task's.
void run(const backend& kind, soci::session& on, const std::string& sql, const backend::text_row& values = {}) {
  if (auto why = kind.run(on, sql, values))
    throw error(std::move(*why));
}

std::size_t load_csv(const backend& kind, soci::session& to, const setup_spec& step, const row_progress& progress) {
  const auto text = read_text_file(step.csv.string(), csv_mebibytes_max);
  if (text.has_error())
    fail(errc::invalid_request, fmt::format("{}: {}", step.csv.string(), text.error().message));
  const auto parsed = parse_csv(*text);
  if (parsed.has_error())
    fail(errc::invalid_request, fmt::format("{}: {}", step.csv.string(), parsed.error().message));
  if (const auto refused =
          kind.insert(to, step.into, parsed->columns, parsed->rows, [&](std::size_t n) { progress(step, n); }))
    fail(refused->why.code,
         fmt::format("{}: {}{}", step.csv.string(),
                     refused->row ? fmt::format("line {}: ", parsed->lines[*refused->row]) : "", refused->why.message));
  return parsed->rows.size();
}

} // namespace

query make_setup_query(const backend& kind, std::span<const setup_spec> steps, std::string name,
                       row_progress progress) {
  auto made =
      query::of_task(std::move(name), [&kind, progress = std::move(progress),
                                       all = std::vector<setup_spec>(steps.begin(), steps.end())](soci::session& s) {
        std::size_t rows = 0;
        run(kind, s, "begin");
        for (const auto& step : all)
          if (step.csv.empty())
            run(kind, s, step.sql);
          else
            rows += load_csv(kind, s, step, progress);
        run(kind, s, "commit");
        return rows;
      });
  made.database = steps.front().database;
  return made;
}

} // namespace sheaf::app
