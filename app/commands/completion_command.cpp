// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf completion`: a script for the shell, and the names in a file that it asks for. Main thread.

#include "app/base/exit.hpp"
#include "app/base/output.hpp"
#include "app/base/text.hpp"
#include "app/commands/command.hpp"
#include "app/commands/completion.hpp"
#include "app/file/file_reader.hpp"

#include <CLI/Validators.hpp>

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

namespace sheaf::app {

namespace {

struct completion_arguments {
  std::string shell;
  std::string file, list, of; ///< Asked by the script: what is in a file.
};

/// Prints a name as a line of its own, if it is one.
void print_name(output& to, std::string_view name, std::string_view behind = {}) {
  if (!has_control(name))
    to.text().append(name).append(behind) += '\n';
}

/// Prints the names in a file, whatever is wrong with it. Variables and parameters are followed by `=`.
int print_list(const completion_arguments& how) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(how.file, failed)) // a pipe may never end, and a terminal is the shell's
    return exit_all_held;
  const auto file = read_sheaf_file(how.file, {}).file;
  output to;
  if (how.list == "names")
    for (const auto& x : file.requests)
      print_name(to, x.name);
  if (how.list == "names" || how.list == "scenarios")
    for (const auto& x : file.scenarios)
      print_name(to, x.name);
  if (how.list == "variables")
    for (const auto& name : file.asked)
      print_name(to, name, "=");
  if (const auto* request = file.find_request(how.of); request && how.list == "parameters")
    for (const auto& p : request->parameters)
      print_name(to, p.name, "=");
  to.flush();
  return exit_all_held;
}

int print_script(const CLI::App& program, const std::string& shell) {
  if (shell.empty())
    bad_input("for which shell? bash or zsh");
  output to;
  to.text() = shell == "bash" ? bash_completion(program) : zsh_completion(program);
  to.flush();
  return exit_all_held;
}

constexpr const char* completion_help = R"(Examples:
  sheaf completion bash > sheaf.bash
  sheaf completion zsh > _sheaf

Into ~/.bashrc: source <(sheaf completion bash)
Into ~/.zshrc, behind compinit: source <(sheaf completion zsh)
)";

} // namespace

void add_completion_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<completion_arguments>();
  auto* command = program.add_subcommand("completion", "Print a script that completes sheaf's commands in a shell");
  command->add_option("SHELL", how->shell, "The shell")
      ->check(CLI::IsMember({"bash", "zsh"}).description(""))
      ->type_name("bash|zsh");
  for (auto& [name, into] : {std::pair{"--in", &how->file}, {"--list", &how->list}, {"--of", &how->of}})
    command->add_option(name, *into)->group(""); // for the script
  command->footer(completion_help);
  command->callback([how, &program, &chosen] {
    chosen = [how, &program] { return how->list.empty() ? print_script(program, how->shell) : print_list(*how); };
  });
}

} // namespace sheaf::app
