// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/scenario_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf::app {

namespace {

constexpr std::size_t times_max = 1'000'000;
constexpr std::size_t comparisons_max = 1'000;

/// A scalar's text with its place.
std::optional<placed_text> read_text(reading& in, const yaml_node& node, std::string_view name) {
  if (node.is == yaml_node::kind::scalar)
    return placed_text{node.text, node.at};
  if (node.is == yaml_node::kind::null)
    return placed_text{"null", node.at};
  in.error(node.at, fmt::format("{} is text, and this is {}", name, to_string(node.is)));
  return {};
}

setup_spec read_setup(reading& in, const yaml_node& node) {
  const map_reader from{in, node, section::setup};
  setup_spec made{.at = node.at};
  made.database = from.text("database").value_or("");
  const auto *sql = from.find("sql"), *sql_file = from.find("sql_file"), *csv = from.find("csv");
  if ((sql != nullptr) + (sql_file != nullptr) + (csv != nullptr) != 1 && from.is_map())
    in.error(node.at, "it is one of sql, sql_file and csv");
  made.sql = from.text("sql").value_or("");
  if (const auto path = from.text("sql_file"))
    made.sql = in.content_of(*path, sql_file->at).value_or("");
  made.into = from.text("into").value_or("");
  if (csv && made.into.empty())
    in.error(csv->at, "a csv file goes into a table: add into");
  if (!csv && !made.into.empty())
    in.error(from.find("into")->at, "only a csv file goes into a table");
  if (csv)
    if (const auto path = in.filled(*csv)) {
      made.csv = in.folder / *path;
      std::error_code failed;
      if (!std::filesystem::is_regular_file(made.csv, failed))
        in.error(csv->at, fmt::format("{}: no such file", made.csv.string()));
    }
  return made;
}

std::vector<step_spec> read_steps(reading& in, const map_reader& from, std::string_view key);

std::vector<std::pair<placed_text, placed_text>> read_pairs(reading& in, const map_reader& from, std::string_view key) {
  std::vector<std::pair<placed_text, placed_text>> made;
  from.each_name(key, [&](const yaml_key& name, const yaml_node& x) {
    auto text = read_text(in, x, key);
    if (!text)
      return;
    in.mention(expression::parse_expectation(text->text), in.mentioned);
    made.emplace_back(placed_text{name.text, name.at}, std::move(*text));
  });
  return made;
}

/// Reads what a step of a request and a comparison have in common.
request_step read_request_step(reading& in, const map_reader& from) {
  request_step made;
  made.request = from.text("request").value_or("");
  from.each_name("with", [&](const yaml_key& name, const yaml_node& x) {
    if (auto value = read_value(in, x))
      made.with.emplace_back(name.text, std::move(*value));
  });
  made.expect = read_pairs(in, from, "expect");
  return made;
}

std::optional<std::size_t> read_times(reading& in, const map_reader& from, std::size_t at_most) {
  const auto times = from.number("times");
  if (times && (*times < 1 || *times > at_most))
    in.error(from.find("times")->at, fmt::format("times is {}; set it to between 1 and {}", *times, at_most));
  return times;
}

repeat_step read_repeat(reading& in, const yaml_node& node) {
  const map_reader from{in, node, section::repeat};
  repeat_step made;
  if (const auto times = read_times(in, from, times_max)) {
    made.times = *times;
  } else if (from.is_map() && !from.find("times")) {
    in.error(node.at, "repeat has no times");
  }
  made.steps = read_steps(in, from, "of");
  if (made.steps.empty() && from.is_map())
    in.error(node.at, "repeat has no steps: add of");
  return made;
}

parallel_step read_parallel(reading& in, const map_reader& from) {
  parallel_step made{read_steps(in, from, "parallel")};
  if (made.steps.empty())
    in.error(from.find("parallel")->at, "parallel has no steps");
  for (const auto& x : made.steps)
    if (!std::holds_alternative<request_step>(x.kind))
      in.error(x.at, "parallel takes requests");
  return made;
}

compare_step read_compare(reading& in, const yaml_node& node) {
  const map_reader from{in, node, section::compare};
  compare_step made;
  made.request = read_request_step(in, from);
  if (from.is_map() && !from.find("request"))
    in.error(node.at, "compare has no request");
  if (const auto modes = from.choice_list("modes")) {
    made.modes.clear();
    for (const auto word : *modes)
      made.modes.push_back(meaning_of(word, session_modes));
  }
  made.times = read_times(in, from, comparisons_max).value_or(made.times);
  return made;
}

step_spec read_step(reading& in, const yaml_node& node) {
  const map_reader from{in, node, section::step};
  step_spec made{.at = node.at, .kind = {}};
  const auto *request = from.find("request"), *parallel = from.find("parallel"), *repeat = from.find("repeat"),
             *compare = from.find("compare");
  if ((request != nullptr) + (parallel != nullptr) + (repeat != nullptr) + (compare != nullptr) != 1) {
    if (from.is_map())
      in.error(node.at, "a step is one of request, parallel, repeat and compare");
    return made;
  }
  for (const auto* key : {"with", "expect", "capture"})
    if (const auto* x = from.find(key); x && !request)
      in.error(x->at, fmt::format("{} belongs to a request", key));
  if (request) {
    auto one = read_request_step(in, from);
    one.capture = read_pairs(in, from, "capture");
    made.kind = std::move(one);
  } else if (parallel)
    made.kind = read_parallel(in, from);
  else if (compare)
    made.kind = read_compare(in, *compare);
  else
    made.kind = read_repeat(in, *repeat);
  return made;
}

std::vector<step_spec> read_steps(reading& in, const map_reader& from, std::string_view key) {
  std::vector<step_spec> made;
  from.each_element(key, [&](const yaml_node& x) { made.push_back(read_step(in, x)); });
  return made;
}

/// Numbers the requests of these steps in order.
void number_requests(std::vector<step_spec>& steps, std::size_t& last) {
  for (auto& x : steps)
    if (auto* one = std::get_if<request_step>(&x.kind))
      one->number = ++last;
    else if (auto* all = std::get_if<parallel_step>(&x.kind))
      number_requests(all->steps, last);
    else if (auto* again = std::get_if<repeat_step>(&x.kind))
      number_requests(again->steps, last);
    else
      std::get<compare_step>(x.kind).request.number = ++last;
}

load_spec read_load(reading& in, const yaml_node& node) {
  const map_reader from{in, node, section::load};
  load_spec made;
  made.clients = from.number("clients");
  if (made.clients && (*made.clients < 1 || *made.clients > load_spec::clients_max))
    in.error(from.find("clients")->at,
             fmt::format("clients is {}; set it to between 1 and {}", *made.clients, load_spec::clients_max));
  made.rate = from.rate("rate");
  made.duration = from.duration("duration").value_or(made.duration);
  made.warm_up = from.duration("warm_up").value_or(made.warm_up);
  return made;
}

} // namespace

std::optional<value_spec> read_value(reading& in, const yaml_node& node) {
  value_spec made{.at = node.at};
  const auto add = [&](const yaml_node& x) {
    if (x.is == yaml_node::kind::null) {
      made.texts.emplace_back();
      return true;
    }
    if (x.is != yaml_node::kind::scalar) {
      in.error(x.at,
               fmt::format("a parameter's value is a value or a list of values, and this is {}", to_string(x.is)));
      return false;
    }
    auto text = template_text::parse(x.text);
    if (text.has_error()) {
      in.error(x.at, text.error().message);
      return false;
    }
    for (const auto& hole : text->holes())
      in.mention(expression::parse(hole.inner), in.asked);
    made.texts.push_back(std::move(*text));
    return true;
  };
  made.is_list = node.is == yaml_node::kind::sequence;
  const bool all_read = made.is_list ? std::all_of(node.values.begin(), node.values.end(), add) : add(node);
  return all_read ? std::optional{std::move(made)} : std::nullopt;
}

void read_scenario(reading& in, const yaml_key& name, const yaml_node& node, sheaf_file& file) {
  const map_reader from{in, node, section::scenario};
  scenario_spec made{.name = name.text, .at = name.at};
  from.each_element("setup", [&](const yaml_node& x) { made.setup.push_back(read_setup(in, x)); });
  from.each_element("teardown", [&](const yaml_node& x) { made.teardown.push_back(read_setup(in, x)); });
  made.steps = read_steps(in, from, "steps");
  std::size_t last = 0;
  number_requests(made.steps, last);
  if (const auto* load = from.find("load")) {
    made.load = read_load(in, *load);
    made.load_at = load->at;
  }
  made.thresholds = read_pairs(in, from, "thresholds");
  if (made.steps.empty() && from.is_map())
    in.error(name.at, fmt::format("scenario \"{}\" has no steps", name.text));
  file.scenarios.push_back(std::move(made));
}

} // namespace sheaf::app
