// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf completion`: a script for the shell, and the names in a file that it asks for. Main thread.

#include "app/base/exit.hpp"
#include "app/base/output.hpp"
#include "app/commands/command.hpp"
#include "app/commands/completion.hpp"
#include "app/file/file_reader.hpp"

#include <CLI/Validators.hpp>

#include <memory>

namespace sheaf::app {

namespace {

struct completion_arguments {
  std::string shell, names_of;
};

/// Prints the names that can be run, whatever is wrong with the file.
int print_names(const std::string& path) {
  const auto read = read_sheaf_file(path, {});
  output to;
  for (const auto& x : read.file.requests)
    to.text() += x.name + '\n';
  for (const auto& x : read.file.scenarios)
    to.text() += x.name + '\n';
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
  command->add_option("--names", how->names_of)->group(""); // for the script
  command->footer(completion_help);
  command->callback([how, &program, &chosen] {
    chosen = [how, &program] {
      return how->names_of.empty() ? print_script(program, how->shell) : print_names(how->names_of);
    };
  });
}

} // namespace sheaf::app
