// SPDX-License-Identifier: BSD-3-Clause
//
// Boost.JSON itself, compiled here once.

#include <boost/json/src.hpp>
