#[[
Finds the C++ Actor Framework, for which Debian has no CMake config.

    find_package(CAF 0.17 REQUIRED COMPONENTS core [io])

Gives the targets CAF::core and CAF::io. The engine builds on internals that changed with 0.18 (execution units, atoms), so
a version of another minor number is refused.
]]
find_path(CAF_INCLUDE_DIR caf/config.hpp)
if(CAF_INCLUDE_DIR)
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" CAF_VERSION_LINE REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+$" CAF_VERSION_NUMBER "${CAF_VERSION_LINE}")
  math(EXPR CAF_VERSION_MAJOR "${CAF_VERSION_NUMBER} / 10000")
  math(EXPR CAF_VERSION_MINOR "${CAF_VERSION_NUMBER} / 100 % 100")
  math(EXPR CAF_VERSION_PATCH "${CAF_VERSION_NUMBER} % 100")
  set(CAF_VERSION "${CAF_VERSION_MAJOR}.${CAF_VERSION_MINOR}.${CAF_VERSION_PATCH}")
endif()

foreach(component IN LISTS CAF_FIND_COMPONENTS)
  find_library(CAF_${component}_LIBRARY caf_${component})
  mark_as_advanced(CAF_${component}_LIBRARY)
  set(CAF_${component}_FOUND FALSE)
  if(CAF_${component}_LIBRARY)
    set(CAF_${component}_FOUND TRUE)
  endif()
endforeach()

if(CAF_VERSION AND CAF_FIND_VERSION_COUNT GREATER 1
   AND NOT "${CAF_VERSION_MAJOR}.${CAF_VERSION_MINOR}" STREQUAL "${CAF_FIND_VERSION_MAJOR}.${CAF_FIND_VERSION_MINOR}")
  set(CAF_REASON "found ${CAF_VERSION} in ${CAF_INCLUDE_DIR}, but only ${CAF_FIND_VERSION_MAJOR}.${CAF_FIND_VERSION_MINOR}.x will do")
  set(CAF_INCLUDE_DIR)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  CAF
  REQUIRED_VARS CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE "${CAF_REASON}. On Debian 12: apt-get install libcaf-dev")
mark_as_advanced(CAF_INCLUDE_DIR)

if(CAF_FOUND)
  find_package(Threads REQUIRED)
  foreach(component IN LISTS CAF_FIND_COMPONENTS)
    if(NOT TARGET CAF::${component})
      add_library(CAF::${component} UNKNOWN IMPORTED)
      set_target_properties(
        CAF::${component} PROPERTIES IMPORTED_LOCATION "${CAF_${component}_LIBRARY}"
                                     INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
      target_link_libraries(CAF::${component} INTERFACE Threads::Threads)
      if(NOT component STREQUAL "core" AND TARGET CAF::core)
        target_link_libraries(CAF::${component} INTERFACE CAF::core)
      endif()
    endif()
  endforeach()
endif()
