// SPDX-License-Identifier: BSD-3-Clause
//
// Scripts that complete the program's commands in a shell, made from the command line as it is parsed. Main thread.

#pragma once

#include <CLI/App.hpp>

#include <string>

namespace sheaf::app {

/// For bash 4 and later: `source <(sheaf completion bash)`.
std::string bash_completion(const CLI::App& program);

/// For zsh: `source <(sheaf completion zsh)` behind `compinit`, or a file `_sheaf` in a folder of `fpath`.
std::string zsh_completion(const CLI::App& program);

} // namespace sheaf::app
