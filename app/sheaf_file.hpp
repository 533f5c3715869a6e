// SPDX-License-Identifier: BSD-3-Clause
//
// What a sheaf file says: databases, requests, scenarios, each with its place. Filled by `read_sheaf_file`. Any thread.

#pragma once

#include "finding.hpp"
#include "value_spec.hpp"

#include "sheaf/options.hpp"
#include "sheaf/request.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
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
};

struct query_spec {
  query what;      ///< Without its parameters' values.
  location at;     ///< Of its name.
  location sql_at; ///< Of its statement, or of the file's name.
  /// One query for each element of the list `second`, bound to the parameter `first`.
  std::optional<std::pair<std::string, std::string>> for_each;
};

struct request_spec {
  std::string name;
  location at;
  std::vector<parameter_spec> parameters;
  std::vector<query_spec> queries;
  request settings; ///< Deadline, width, policy and limits; no queries.
};

struct step_spec;

struct request_step {
  std::string request;
  std::vector<std::pair<std::string, value_spec>> with;
  std::vector<std::pair<placed_text, placed_text>> expect;  ///< Path and expectation.
  std::vector<std::pair<placed_text, placed_text>> capture; ///< Name and path.
};

struct parallel_step {
  std::vector<step_spec> steps;
};

struct repeat_step {
  std::size_t times = 0;
  std::vector<step_spec> steps;
};

struct step_spec {
  location at;
  std::variant<request_step, parallel_step, repeat_step> what;
};

/// Before or after the steps.
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
};

struct sheaf_file {
  std::filesystem::path path;
  std::vector<database_options> databases;
  std::vector<location> databases_at;
  std::vector<request_spec> requests;
  std::vector<scenario_spec> scenarios;

  /// The database that a query is for; null when there is none of that name.
  const database_options* database_of(const query& what) const noexcept;
  const request_spec* find_request(std::string_view name) const noexcept;
  const scenario_spec* find_scenario(std::string_view name) const noexcept;
};

/// Values of `-D name=value`.
using variables = std::map<std::string, std::string, std::less<>>;

struct read_result {
  sheaf_file file;               ///< As far as it could be understood.
  std::vector<finding> findings; ///< In the order of the file.
};

/// Reads the text of a file of that name, and everything that it names, as below.
read_result read_sheaf_text(const std::string& text, const std::filesystem::path& path, const variables& given);

/// Reads a file and everything that it names. All that is wrong is found at once; nothing is sent to a database.
read_result read_sheaf_file(const std::filesystem::path& path, const variables& given);

} // namespace sheaf::app
