// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf run`: a request or a scenario of a sheaf file. Main thread.

#include "app/base/exit.hpp"
#include "app/base/standard_streams.hpp"
#include "app/commands/command.hpp"
#include "app/commands/failure_line.hpp"
#include "app/commands/file_arguments.hpp"
#include "app/commands/query_input.hpp"
#include "app/file/parameter_text.hpp"
#include "app/scenario/scenario_report.hpp"
#include "app/show/failure_text.hpp"
#include "app/show/format.hpp"
#include "app/show/picture.hpp"
#include "app/show/timeline.hpp"

#include "sheaf/clock.hpp"

#include <CLI/Validators.hpp>
#include <fmt/format.h>

#include <random>

namespace sheaf::app {

namespace {

struct run_arguments {
  std::string file, name, format = "table", timeline, output_file;
  std::vector<std::string> defines, parameters;
  std::optional<std::uint64_t> seed;
  bool timeline_wanted = false;
};

std::string listed(const sheaf_file& file) {
  std::string out;
  for (const auto& x : file.requests)
    out += fmt::format("{}request {}", out.empty() ? "" : ", ", x.name);
  for (const auto& x : file.scenarios)
    out += fmt::format("{}scenario {}", out.empty() ? "" : ", ", x.name);
  return out;
}

/// A value of `-p`, as a step would give it.
value_spec value_of(const parameter_spec& p, const std::string& text) {
  value_spec made{.is_list = p.type.ends_with("[]"), .texts = {}};
  const auto elements = made.is_list ? split_list(text) : std::vector{std::optional{text}};
  if (!elements)
    bad_input(
        fmt::format("-p {}: a list is a,b,null,\"c,d\": a quote does not end, or something stands behind it", p.name));
  for (const auto& x : *elements)
    made.texts.push_back(x ? std::optional{value_or_throw(template_text::parse(*x), "-p " + p.name + ": ")}
                           : std::nullopt);
  return made;
}

/// The values of `-p`, as a step would give them.
request_step step_of(const request_spec& spec, const std::vector<std::string>& arguments) {
  request_step how;
  how.request = spec.name;
  for (const auto& argument : arguments) {
    auto [name, text] = split_name(argument);
    constexpr std::string_view as_null = ":null";
    const bool is_null = name.empty() && argument.ends_with(as_null);
    if (is_null)
      name = argument.substr(0, argument.size() - as_null.size());
    const auto p = std::find_if(spec.parameters.begin(), spec.parameters.end(),
                                [&, &n = name](const auto& x) { return x.name == n; });
    if (name.empty())
      bad_input("-p takes NAME=VALUE, or NAME:null");
    if (p == spec.parameters.end())
      bad_input(fmt::format("-p {}: {} has no such parameter", name, spec.name));
    how.with.emplace_back(std::move(name), is_null ? value_spec{.texts = {std::nullopt}} : value_of(*p, text));
  }
  return how;
}

/// A file as `look_at` would describe it: no colours.
terminal no_terminal() { return {.utf8 = look_at(stdout).utf8}; }

void write_results(output& to, const run_arguments& how, const step_report& step) {
  const auto& format = how.format;
  if (format == "json")
    write_json_format(to, step.got, step.sql);
  else if (format == "ndjson")
    write_ndjson_format(to, step.got, step.sql);
  else if (format == "csv")
    write_csv_format(to, step.got);
  else
    write_table_format(to, step.got, how.output_file.empty() ? look_at(stdout) : no_terminal());
  to.finish();
}

void write_timeline(const run_arguments& how, const step_report& step) {
  if (!how.timeline_wanted)
    return;
  if (how.timeline.empty()) {
    tell("{}", timeline(step.got, look_at(stderr)));
    return;
  }
  const std::string_view file = how.timeline;
  const auto picture =
      file.ends_with(".svg")    ? to_svg(step.got, step.request)
      : file.ends_with(".html") ? to_html(step.got, step.request)
      : file.ends_with(".json")
          ? to_trace(step.got, step.request)
          : throw command_error{exit_bad_input, "--timeline: a picture is a .svg, .html or .json file"};
  output to{how.timeline};
  to.text() = picture;
  to.finish();
}

int run_request(const run_arguments& how, const sheaf_file& file, const request_spec& spec, const variables& given) {
  if (how.format == "junit")
    bad_input("--format junit is for scenarios: a request expects nothing");
  output to{how.output_file}; // before anything is sent: it may not be there to be written
  std::optional<step_report> answered;
  {
    const signal_watch signals;
    const auto engine = make_engine(engine_options(file));
    scenario_runner runner{
        *engine, file, given, how.seed.value_or(0), signals, [&](step_report x) { answered = std::move(x); }};
    runner.run(step_of(spec, how.parameters));
  }
  tell_text(show_notices(answered->got.outcomes));
  write_results(to, how, *answered);
  write_timeline(how, *answered);
  if (answered->got.ok())
    return exit_all_held;
  const auto& why = *answered->got.failure;
  tell_failure(why, sql_of(why, answered->got, answered->sql));
  return exit_code_of(why);
}

/// A report needs no more of most steps than their times.
void forget_rows(step_report& x) {
  for (auto& o : x.got.outcomes)
    if (o.ok())
      o.data = table{};
}

int run_scenario(const run_arguments& how, const sheaf_file& file, const scenario_spec& scenario,
                 const variables& given) {
  if (how.format == "csv" || how.format == "ndjson")
    bad_input(fmt::format("--format {} is for requests; a scenario has table, json and junit", how.format));
  if (!how.parameters.empty())
    bad_input("-p is for requests; a scenario's steps have their own values in with (and -D gives variables)");
  const auto terminal = look_at(stdout);
  scenario_report report{.file = how.file, .scenario = scenario.name, .steps = {}, .elapsed = {}, .seed = 0};
  report.seed = how.seed ? *how.seed : std::random_device{}();
  const auto began = clock::now();
  const bool in_file = !how.output_file.empty();
  output shown, to{how.output_file};
  {
    const signal_watch signals;
    const auto engine = make_engine(engine_options(file));
    scenario_runner runner{*engine, file, given, report.seed, signals, [&](step_report x) {
                             tell_text(show_notices(x.got.outcomes));
                             if (how.format == "table" || in_file) {
                               write_step(shown, x, terminal);
                               shown.flush();
                             }
                             if (how.format == "table" && in_file)
                               write_step(to, x, no_terminal());
                             if (!report.steps.empty())
                               forget_rows(report.steps.back());
                             report.steps.push_back(std::move(x));
                           }};
    runner.run(scenario);
  }
  report.elapsed = clock::now() - began;
  if (how.format == "table" || in_file)
    write_summary(shown, report, terminal);
  if (how.format == "json")
    write_json_report(to, report);
  else if (how.format == "junit")
    write_junit_report(to, report);
  else if (in_file)
    write_summary(to, report, no_terminal());
  to.finish();
  if (!report.steps.empty())
    write_timeline(how, report.steps.back());
  for (const auto& x : report.steps)
    if (const auto* why = x.no_session()) // nothing is known of what was expected
      throw error(*why);
  return report.missed() == 0 ? exit_all_held : exit_missed;
}

int run_run(const run_arguments& how) {
  const auto given = parse_defines(how.defines);
  const auto file = load_sheaf_file(how.file, given);
  auto name = how.name;
  if (name.empty() && file.requests.size() == 1 && file.scenarios.empty())
    name = file.requests.front().name;
  if (name.empty() && file.scenarios.size() == 1)
    name = file.scenarios.front().name;
  if (name.empty())
    bad_input(fmt::format("which one? {} has {}", how.file, listed(file)));
  if (const auto* scenario = file.find_scenario(name))
    return run_scenario(how, file, *scenario, given);
  if (const auto* request = file.find_request(name))
    return run_request(how, file, *request, given);
  bad_input(fmt::format("{} has no {}; it has {}", how.file, name, listed(file)));
}

constexpr const char* run_help = R"(Examples:
  sheaf init shop.yaml
  sheaf run shop.yaml smoke --seed 1
  sheaf run shop.yaml dashboard -p author=Ada
  sheaf run shop.yaml smoke --format junit --output report.xml
  sheaf run shop.yaml dashboard --timeline dashboard.svg

Exit codes:
  0 all held; 1 bad input; 2 a failure at run time; 99 an expectation was missed
)";

} // namespace

void add_run_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<run_arguments>();
  auto* command = program.add_subcommand("run", "Run a request or a scenario of a sheaf file");
  command->add_option("FILE", how->file, "A sheaf file")->required();
  command->add_option("NAME", how->name, "A request or a scenario of it; its only one when not given");
  add_define_option(*command, how->defines);
  command
      ->add_option("-p,--param", how->parameters, "A parameter of the request, or NAME:null; a list is a,null,\"b,c\"")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command->add_option("--format", how->format, "Format of the results")
      ->check(CLI::IsMember({"table", "json", "csv", "ndjson", "junit"}).description(""))
      ->type_name("table|json|csv|ndjson|junit")
      ->capture_default_str();
  command
      ->add_option("--output", how->output_file,
                   "Write results, or a scenario's report, into a file, which is replaced whole or left as it was")
      ->type_name("FILE");
  command->add_option("--seed", how->seed, "Seed of the random values: the same one gives the same values")
      ->type_name("N");
  command
      ->add_option("--timeline", how->timeline,
                   "Draw the (last) request: on stderr, or into a .svg, .html or .json file")
      ->expected(0, 1)
      ->type_name("[FILE]")
      ->each([how](const std::string&) { how->timeline_wanted = true; });
  command->footer(run_help);
  command->callback([how, command, &chosen] {
    how->timeline_wanted = command->count("--timeline") > 0;
    if (how->output_file == "-")
      how->output_file.clear();
    chosen = [how] { return run_run(*how); };
  });
}

} // namespace sheaf::app
