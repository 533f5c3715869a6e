// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/sheaf_file.hpp"

#include <algorithm>

namespace sheaf::app {

namespace {

template <class T>
const T* named(const std::vector<T>& all, std::string_view name) noexcept {
  const auto found = std::find_if(all.begin(), all.end(), [name](const T& x) { return x.name == name; });
  return found == all.end() ? nullptr : &*found;
}

} // namespace

const database_options* sheaf_file::find_database(std::string_view name) const noexcept {
  return name.empty() && !databases.empty() ? &databases.front() : named(databases, name);
}

const request_spec* sheaf_file::find_request(std::string_view name) const noexcept { return named(requests, name); }

const parameter_spec* request_spec::find_parameter(std::string_view name) const noexcept {
  return named(parameters, name);
}

const scenario_spec* sheaf_file::find_scenario(std::string_view name) const noexcept { return named(scenarios, name); }

bool has_comparison(const std::vector<step_spec>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const step_spec& x) {
    const auto* again = std::get_if<repeat_step>(&x.kind);
    return std::holds_alternative<compare_step>(x.kind) || (again && has_comparison(again->steps));
  });
}

std::string_view to_string(session_mode x) noexcept { return word_for(x, session_modes); }

} // namespace sheaf::app
