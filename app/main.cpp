// SPDX-License-Identifier: BSD-3-Clause
//
// The program `sheaf`: parses the command line, runs the chosen command, and turns a failure into one line on stderr
// and an exit code. Main thread.

#include "app/base/exit.hpp"
#include "app/base/standard_streams.hpp"
#include "app/base/terminal.hpp"
#include "app/base/text.hpp"
#include "app/commands/command.hpp"
#include "app/scenario/runner.hpp"
#include "app/show/failure_text.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace sheaf::app;

constexpr const char* program_help = R"(Examples:
  sheaf demo --rows 100000
  sheaf query sqlite::memory: 'select 6 * 7 as answer' 'version=select sqlite_version()'
  sheaf init && sheaf run sheaf.yaml smoke
  sheaf query --help
  sheaf help file

)";

int complain(int exit_code, std::string_view message) {
  if (!message.empty())
    tell("{} {}\n", paint(look_at(stderr), style::bad, "sheaf:"), one_line(message));
  return exit_code;
}

/// The parser's message may repeat arguments, and an argument may hold a password, or be a parameter or a variable.
std::string without_secrets(std::string message, const std::vector<std::string>& arguments) {
  constexpr std::string_view instead = "(not shown: it may hold a password)";
  for (std::string_view text : arguments) {
    if (text.starts_with("--"))
      text.remove_prefix(std::min(text.find('='), text.size() - 1) + 1);
    if (text.find('@') == text.npos && text.find("://") == text.npos && text.find("password") == text.npos &&
        text.find('=') == text.npos)
      continue;
    for (std::size_t at = 0; (at = message.find(text, at)) != message.npos; at += instead.size())
      message.replace(at, text.size(), instead);
  }
  return message;
}

int usage_error(const CLI::App& program, std::string_view why, const std::vector<std::string>& arguments) {
  const auto chosen = program.get_subcommands();
  if (!chosen.empty())
    return complain(exit_bad_input,
                    fmt::format("{} (see sheaf {} --help)", without_secrets(std::string{why}, arguments),
                                chosen.front()->get_name()));
  std::string commands;
  for (const auto* known : program.get_subcommands([](const CLI::App*) { return true; }))
    commands += (commands.empty() ? "" : ", ") + known->get_name();
  const auto wrong = arguments.empty() ? "no command" : fmt::format("no such command or option: {}", arguments.front());
  return complain(exit_bad_input, fmt::format("{}; the commands are {} (see sheaf --help)",
                                              without_secrets(wrong, arguments), commands));
}

int run(const chosen_command& command) {
  try {
    return command();
  } catch (const command_error& why) {
    return complain(why.exit_code(), why.what());
  } catch (const interrupted& by) {
    return complain(exit_signalled + by.signal, "interrupted");
  } catch (const sheaf::error& why) {
    const int exit_code = complain(exit_code_of(why.why()), why.what());
    tell_text(show_details(why.why()));
    return exit_code;
  } catch (const std::bad_alloc&) {
    return complain(exit_run_time_failure, "out of memory");
  } catch (const std::exception& why) {
    return complain(exit_run_time_failure, why.what());
  }
}

} // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  use_environment_locale();
  // A reader that went away is an error of the write, so that what a command has made is still removed.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App program{"Answers one request with many SQL queries at once, each on a database session of its own.",
                   "sheaf"};
  program.set_version_flag("--version", "sheaf " SHEAF_VERSION);
  program.footer(std::string{program_help} + exit_codes);
  program.require_subcommand(1);
  chosen_command chosen;
  add_demo_command(program, chosen);
  add_query_command(program, chosen);
  add_init_command(program, chosen);
  add_check_command(program, chosen);
  add_run_command(program, chosen);
  add_bench_command(program, chosen);
  add_serve_command(program, chosen);
  add_completion_command(program, chosen);
  add_help_command(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    const int exit_code = program.exit(asked);
    const bool written = std::cout.flush().good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    return written ? exit_code : complain(exit_run_time_failure, "cannot write to standard output");
  } catch (const CLI::ParseError& why) {
    return usage_error(program, why.what(), {argv + 1, argv + argc});
  }
  return run(chosen);
}
