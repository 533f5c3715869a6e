// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf bench`: a scenario of a sheaf file under load. Main thread.

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/base/nearest.hpp"
#include "app/base/number_text.hpp"
#include "app/base/output.hpp"
#include "app/base/standard_streams.hpp"
#include "app/commands/command.hpp"
#include "app/commands/file_arguments.hpp"
#include "app/load/load_generator.hpp"
#include "app/load/load_report.hpp"
#include "app/scenario/scenario_runner.hpp"

#include "sheaf/clock.hpp"

#include <CLI/Validators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace sheaf::app {

namespace {

constexpr auto look_every = std::chrono::milliseconds{100};
constexpr auto line_every = std::chrono::seconds{1};

/// The time for running requests to end by themselves when it is over, if their own deadlines let them.
constexpr auto drain_timeout = std::chrono::seconds{5};

struct bench_arguments {
  std::string file, scenario, output;
  std::vector<std::string> defines;
  std::optional<std::uint64_t> seed;
  std::optional<std::size_t> clients;
  std::string rate, duration, warm_up;
  std::size_t loops = 1;
  bool both_ways = false;
};

/// `0`, or `0s` and the like.
bool is_no_time(const std::string& text) {
  const auto unit = text.find_first_not_of('0');
  return unit != 0 && (unit == text.npos || (text[unit] != '.' && parse_duration('1' + text.substr(unit)).has_value()));
}

/// The load of the file, as the command line changes it.
load_spec load_of(const bench_arguments& how, load_spec load) {
  if (how.clients)
    load.clients = how.clients;
  if (!how.rate.empty())
    load.rate = value_or_throw(parse_rate(how.rate), "--rate: ");
  if (!how.duration.empty())
    load.duration = value_or_throw(parse_duration(how.duration), "--duration: ");
  if (!how.warm_up.empty())
    load.warm_up = is_no_time(how.warm_up) ? std::chrono::nanoseconds{0}
                                           : value_or_throw(parse_duration(how.warm_up), "--warm-up: ");
  return load;
}

/// Watches a load: samples the pools, and writes a line for onlookers.
class watcher {
public:
  watcher(engine& on, load_generator& load, const signal_watch& signals)
    : engine_(on), load_(load), signals_(signals), where_(look_at(stderr)) {}
  ~watcher() { clear_line(); }

  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

  /// Watches until then. Throws `interrupted`.
  void watch(std::string_view stage, clock::time_point until) {
    const auto began = clock::now();
    auto line_at = began + line_every;
    for (auto now = began; now < until; now = clock::now()) {
      signals_.wait_for(-1, std::min(now + look_every, until));
      load_.check();
      look();
      if (where_.interactive && clock::now() >= line_at) {
        write_line(stage, clock::now() - began);
        line_at += line_every;
      }
    }
  }

  void forget() { looks_ = 0, seen_.clear(); }

  std::vector<pool_use> pools() const {
    auto all = seen_;
    for (auto& x : all)
      x.active /= static_cast<double>(std::max<std::size_t>(looks_, 1));
    return all;
  }

private:
  void look() {
    const auto now = engine_.stats();
    seen_.resize(now.size());
    ++looks_;
    for (std::size_t i = 0; i < now.size(); ++i) {
      auto& x = seen_[i];
      x.database = now[i].database;
      x.max_size = now[i].max_size;
      x.active += static_cast<double>(now[i].active);
      x.most_active = std::max(x.most_active, now[i].active);
      x.most_waiting = std::max(x.most_waiting, now[i].waiting);
    }
  }

  /// Writes about the last second.
  void write_line(std::string_view stage, std::chrono::nanoseconds elapsed) {
    const auto recent = load_.take_recent();
    auto text = fmt::format(
        "{} {:>4.0f} s  {}/s  p50 {}  p99 {}  {} errors", stage, std::chrono::duration<double>(elapsed).count(),
        to_people(static_cast<double>(recent.latency.count())), to_text(recent.latency.percentile(50)),
        to_text(recent.latency.percentile(99)), recent.errors);
    for (const auto& p : engine_.stats())
      text += fmt::format("  {} {}/{}{}", p.database, p.active, p.max_size,
                          p.waiting > 0 ? fmt::format(" +{} waiting", p.waiting) : "");
    text.resize(std::min(text.size(), static_cast<std::size_t>(std::max(where_.width - 1, 0))));
    tell("\r{}\x1b[K", text);
    has_line_ = true;
  }

  void clear_line() const {
    if (has_line_)
      tell("\r\x1b[K");
  }

  engine& engine_;
  load_generator& load_;
  const signal_watch& signals_;
  const terminal where_;
  std::vector<pool_use> seen_; ///< Holds sums in place of means.
  std::size_t looks_ = 0;
  bool has_line_ = false;
};

/// No request begins any more; running ones may end by themselves for a while. A signal ends that while.
void drain(load_generator& load, const signal_watch& signals, bool interrupted_before) {
  load.stop();
  if (interrupted_before)
    tell("sheaf: ending; running requests are cancelled in {}, or now if you interrupt again\n",
         to_text(drain_timeout));
  try {
    if (signals.wait_for(load.idle_fd(), clock::now() + drain_timeout))
      return;
  } catch (const interrupted&) { // cancelled, as if it had taken too long
  }
  load.cancel();
  signals.wait_for(load.idle_fd());
}

/// Warms up and measures. Requests that were begun are counted, also when a signal ends the load; that signal is given
/// back.
std::optional<interrupted> run_load(engine& on, const load_plan& plan, const load_spec& load,
                                    const signal_watch& signals, load_report& report) {
  load_generator generator{on, plan};
  std::optional<interrupted> by;
  auto began = clock::now();
  {
    watcher look{on, generator, signals};
    try {
      if (load.warm_up.count() > 0) {
        generator.start();
        look.watch("warming up", began + load.warm_up);
        look.forget();
      }
      const auto until = generator.measure(load.duration);
      began = until - load.duration;
      if (load.warm_up.count() == 0)
        generator.start(); // behind `measure`, or its first requests would not count
      look.watch("measuring", until);
    } catch (const interrupted& x) {
      by = x;
    }
    report.pools = look.pools();
  }
  // Under a rate what counts was due in exactly that time.
  report.result.measured =
      plan.rate && !by ? load.duration : std::max<std::chrono::nanoseconds>(clock::now() - began, clock::duration{1});
  drain(generator, signals, by.has_value());
  generator.check();
  report.result.record = generator.record();
  if (plan.both_ways)
    report.in_turn = generator.record_in_turn();
  report.statements = on.statements();
  return by;
}

/// The scenario that was asked for, or null.
const scenario_spec* find_scenario(const sheaf_file& file, const bench_arguments& how) {
  if (how.scenario.empty() && file.scenarios.size() == 1)
    return &file.scenarios.front();
  return file.find_scenario(how.scenario);
}

const scenario_spec& scenario_of(const sheaf_file& file, const bench_arguments& how) {
  if (const auto* found = find_scenario(file, how))
    return *found;
  std::vector<std::string_view> all;
  for (const auto& x : file.scenarios)
    all.push_back(x.name);
  if (how.scenario.empty())
    bad_input(all.empty() ? fmt::format("{} has no scenarios", how.file)
                          : fmt::format("which one? {} has {}", how.file, fmt::join(all, ", ")));
  bad_input(fmt::format("{} has no scenario {}{}", how.file, how.scenario, did_you_mean(how.scenario, all)));
}

/// True when a step expects that its request or one of its queries fails.
bool expects_failure(const std::vector<step_spec>& steps) {
  const auto says_so = [](const expectation_spec& x) {
    const std::string_view path = x.first.text;
    return path == "ok" || path == "error" || path.ends_with(".ok") || path.ends_with(".error");
  };
  return std::any_of(steps.begin(), steps.end(), [&](const step_spec& x) {
    if (const auto* one = std::get_if<request_step>(&x.kind))
      return std::any_of(one->expect.begin(), one->expect.end(), says_so);
    if (const auto* all = std::get_if<parallel_step>(&x.kind))
      return expects_failure(all->steps);
    const auto* again = std::get_if<repeat_step>(&x.kind);
    return again && expects_failure(again->steps);
  });
}

/// Ends the command when nothing succeeded: whatever the thresholds say, no answer was measured.
void require_success(const load_record& got, const scenario_spec& of) {
  if (got.count() == 0)
    throw command_error{exit_run_time_failure, "nothing that began while it was measured was answered"};
  if (got.errors() < got.count() || (got.missed == 0 && expects_failure(of.steps)))
    return;
  throw command_error{exit_run_time_failure,
                      fmt::format("nothing succeeded; the first failure is {}", to_string(*got.first_failure))};
}

int run_bench(const bench_arguments& how) {
  const auto given = parse_defines(how.defines);
  const auto file = load_sheaf_file(how.file, given, [&](sheaf_file& x) {
    const auto* asked = find_scenario(x, how);
    for (auto& s : x.scenarios)
      if (&s == asked)
        s.load = load_of(how, s.load);
  });
  const auto& scenario = scenario_of(file, how);
  if (has_comparison(scenario.steps))
    bad_input(fmt::format("scenario {} has a comparison, which is no load; sheaf run runs it", scenario.name));
  if (how.output == "-")
    bad_input("--output - would mix the JSON with the report, which goes to standard output: name a file");
  const auto& load = scenario.load;
  load_report report{.file = how.file,
                     .scenario = scenario.name,
                     .seed = how.seed ? *how.seed : std::random_device{}(),
                     .clients = load.client_count(),
                     .rate = load.rate,
                     .warm_up = load.warm_up,
                     .result = {load_record{file}, {}},
                     .in_turn = {},
                     .pools = {},
                     .statements = {},
                     .thresholds = {}};
  std::optional<output> json; // now: a path that cannot be written to is better known before the load than behind it
  if (!how.output.empty())
    json.emplace(how.output);
  std::optional<interrupted> by;
  {
    const signal_watch signals;
    auto options = engine_options(file);
    options.loops = how.loops;
    const auto engine = make_engine(std::move(options));
    scenario_runner around{*engine, file, given, report.seed, signals, [](const step_report&) {}};
    around.run_within(scenario, [&] {
      by = run_load(*engine, {file, scenario, given, report.seed, load.client_count(), load.rate, how.both_ways}, load,
                    signals, report);
    });
  }
  report.interrupted = by.has_value();
  scenario_client judge{file, given, generator{report.seed}};
  report.thresholds =
      judge.judge(scenario.thresholds, [&](std::string_view path) { return metric_of(report.result, file, path); });
  for (std::size_t i = 0; i < report.thresholds.size(); ++i)
    report.thresholds[i].is_rate = is_rate(scenario.thresholds[i].first.text);
  output to;
  write_load_report(to, report, file, look_at(stdout));
  if (json) {
    json->text() = to_json(report, file);
    json->finish();
  }
  if (by)
    throw *by;
  require_success(report.result.record, scenario);
  return report.missed() == 0 ? exit_all_held : exit_missed;
}

constexpr const char* bench_help = R"(Runs setup, the steps of the scenario again and again, then teardown.
Requests that begin after the warm-up count, to their end. Under a rate the latency counts from when a request was
due, so that a server that falls behind cannot hide it. What ran out of time counts until it was given up; what failed
at once stands apart, in no percentile and no rate, and clients to whom that happens pause.

Ctrl-C ends it early: running requests are answered or cancelled on the server, and the report covers what was measured.

Examples:
  sheaf init shop.yaml
  sheaf bench shop.yaml smoke --duration 2s
  sheaf bench shop.yaml smoke --clients 3 --duration 2s --output smoke.json
  sheaf bench shop.yaml smoke --rate 20/s --duration 2s

Exit codes:
  0 all held; 1 bad input; 2 a failure at run time, or nothing succeeded; 99 a threshold or an expectation was missed; 130 interrupted
)";

} // namespace

void add_bench_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<bench_arguments>();
  auto* command = program.add_subcommand("bench", "Run a scenario of a sheaf file under load");
  command->add_option("FILE", how->file, "A sheaf file")->required();
  command->add_option("SCENARIO", how->scenario, "A scenario of it; its only one when not given");
  add_define_option(*command, how->defines);
  command->add_option("--clients", how->clients, "Number of concurrent clients, instead of the file's")
      ->check(CLI::Range(std::size_t{1}, load_spec::clients_max).description(""))
      ->type_name("N");
  command->add_option("--rate", how->rate, "Rate at which the steps begin: 500/s")->type_name("RATE");
  command->add_option("--duration", how->duration, "Length of the measurement: 30s")->type_name("DURATION");
  command->add_option("--warm-up", how->warm_up, "Time before the measurement that is not counted: 2s, or 0")
      ->type_name("DURATION");
  command->add_flag("--compare", how->both_ways,
                    "Run every second iteration with the queries of each request in turn, to measure the speed-up of "
                    "running them at once; what the thresholds are about is the other half");
  command->add_option("--loops", how->loops, "The engine's event loops")
      ->check(CLI::Range(1, 64).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", how->seed, "Seed of the random values: the same one gives the same values")
      ->type_name("N");
  command->add_option("--output", how->output, "Write the report also as JSON")->type_name("FILE");
  command->footer(bench_help);
  command->callback([how, &chosen] { chosen = [how] { return run_bench(*how); }; });
}

} // namespace sheaf::app
