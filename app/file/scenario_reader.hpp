// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the scenarios of a sheaf file, and the values that its steps give. Any thread.

#pragma once

#include "app/file/map_reader.hpp"
#include "app/file/sheaf_file.hpp"

namespace sheaf::app {

void read_scenario(reading& in, const yaml_key& name, const yaml_node& node, sheaf_file& file);

/// A value or a list of values; nothing when it is neither, which is a finding then.
std::optional<value_spec> read_value(reading& in, const yaml_node& node);

} // namespace sheaf::app
