// SPDX-License-Identifier: BSD-3-Clause
//
// The program's commands. Each adds itself to the command line and says what to run when it was chosen. Main thread.

#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <functional>

namespace sheaf::app {

/// The chosen command: runs it, gives the exit code. May throw `command_error`, `interrupted` and `sheaf::error`.
using chosen_command = std::function<int()>;

/// `sheaf demo`: the experiment that shows what a session for each query is worth.
void add_demo_command(CLI::App& program, chosen_command& chosen);

/// `sheaf query`: a fan-out from the shell.
void add_query_command(CLI::App& program, chosen_command& chosen);

/// `sheaf init`: a sheaf file to begin with.
void add_init_command(CLI::App& program, chosen_command& chosen);

/// `sheaf check`: finds what is wrong in sheaf files.
void add_check_command(CLI::App& program, chosen_command& chosen);

/// `sheaf run`: a request or a scenario of a sheaf file.
void add_run_command(CLI::App& program, chosen_command& chosen);

/// `sheaf bench`: a scenario of a sheaf file under load.
void add_bench_command(CLI::App& program, chosen_command& chosen);

/// `sheaf serve`: the requests of a sheaf file over HTTP.
void add_serve_command(CLI::App& program, chosen_command& chosen);

/// `sheaf completion`: completion for bash and zsh.
void add_completion_command(CLI::App& program, chosen_command& chosen);

/// `sheaf help`: topics that the other helps have no room for.
void add_help_command(CLI::App& program, chosen_command& chosen);

} // namespace sheaf::app
