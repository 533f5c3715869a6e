// SPDX-License-Identifier: BSD-3-Clause
//
// The content of a sheaf file: databases, requests, scenarios, each with its place. Any thread.

#pragma once

#include "app/base/word_table.hpp"
#include "app/file/finding.hpp"
#include "app/file/value_spec.hpp"

#include "sheaf/options.hpp"
#include "sheaf/request.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace sheaf::app {

/// Text and where it stands.
struct placed_text {
  std::string text;
  location at;
};

struct parameter_spec {
  std::string name;
  location at;
  std::string type = "text";
  std::optional<value> default_value; ///< Without one it has to be given.
  std::string about;                  ///< A sentence for who gives it; may be empty.
};

struct query_spec {
  sheaf::query query; ///< The query without its parameters' values.
  location at;        ///< The place of its name.
  location sql_at;    ///< The place of its statement, or of the file's name.
  /// One query for each element of the list `second`, bound to the parameter `first`.
  std::optional<std::pair<std::string, std::string>> for_each;
  bool stream = false; ///< Over HTTP its rows go out while it still runs.
};

/// The HTTP methods that a request takes. `get` takes POST too.
enum class request_method : std::uint8_t { get, post };

struct request_spec {
  std::string name;
  location at;
  std::vector<parameter_spec> parameters;
  std::vector<query_spec> queries;
  std::optional<request_method> method; ///< Without one its statements decide.
  std::string about;                    ///< A sentence for who asks; may be empty.
  request settings;                     ///< Deadline, width, policy and limits; no queries.

  const parameter_spec* find_parameter(std::string_view name) const noexcept; ///< Null where it declares none.
};

struct step_spec;

/// A path and what is expected of its value.
using expectation_spec = std::pair<placed_text, placed_text>;

struct request_step {
  std::string request;
  std::vector<std::pair<std::string, value_spec>> with;
  std::vector<expectation_spec> expect;
  std::vector<std::pair<placed_text, placed_text>> capture; ///< Name and path.
  std::size_t number = 0; ///< Its place among the requests of its scenario's steps, from 1, as the file has them.
};

struct parallel_step {
  std::vector<step_spec> steps;
};

struct repeat_step {
  std::size_t times = 0;
  std::vector<step_spec> steps;
};

/// A way to run a request's queries in a comparison.
enum class session_mode : std::uint8_t {
  shared_session, ///< One after another, as on one session.
  own_sessions,   ///< At once, each on a session of its own.
};

inline constexpr meaning<session_mode> session_modes[]{{"shared_session", session_mode::shared_session},
                                                       {"own_sessions", session_mode::own_sessions}};

std::string_view to_string(session_mode x) noexcept; ///< The mode as the file has it: `own_sessions`.

struct compare_step {
  request_step request; ///< Its expectations are of the times, by mode.
  std::vector<session_mode> modes{session_mode::shared_session, session_mode::own_sessions};
  std::size_t times = 5;
};

struct step_spec {
  location at;
  std::variant<request_step, parallel_step, repeat_step, compare_step> kind;
};

/// True when there is a comparison among these steps, or among what they repeat.
bool has_comparison(const std::vector<step_spec>& steps);

/// Settings of `sheaf bench` for a scenario's steps.
struct load_spec {
  static constexpr std::size_t clients_max = 10'000;

  std::optional<std::size_t> clients;
  std::optional<double> rate; ///< Beginnings a second; without it each client begins again at once.
  std::chrono::nanoseconds duration = std::chrono::seconds{10};
  std::chrono::nanoseconds warm_up{0};

  /// The number of clients, with the default when the file has none.
  std::size_t client_count() const noexcept { return clients.value_or(rate ? 100 : 1); }
};

/// An action before or after the steps.
struct setup_spec {
  location at;
  std::string database; ///< Empty for the first.
  std::string sql;      ///< Empty for a CSV file.
  std::filesystem::path csv;
  std::string into;
};

struct scenario_spec {
  std::string name;
  location at;
  std::vector<setup_spec> setup, teardown;
  std::vector<step_spec> steps;
  load_spec load;
  std::optional<location> load_at;
  std::vector<expectation_spec> thresholds; ///< Expectations of `load_metrics`.
};

/// Names of variables.
using variable_names = std::set<std::string, std::less<>>;

struct sheaf_file {
  std::filesystem::path path;
  std::vector<database_options> databases;
  std::vector<location> databases_at;
  std::vector<request_spec> requests;
  std::vector<scenario_spec> scenarios;
  variable_names asked;     ///< The names in its `${…}`, captured ones too.
  variable_names mentioned; ///< The names in its conditions: variables, captured values and fields.

  /// The database of that name, the first for an empty one; null when there is none.
  const database_options* find_database(std::string_view name) const noexcept;
  const database_options* database_of(const query& q) const noexcept { return find_database(q.database); }
  const request_spec* find_request(std::string_view name) const noexcept;
  const scenario_spec* find_scenario(std::string_view name) const noexcept;
};

/// Values of `-D name=value`.
using variables = std::map<std::string, std::string, std::less<>>;

} // namespace sheaf::app
