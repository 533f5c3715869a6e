#[[
Finds SOCI, for which Debian has no CMake config.

    find_package(SOCI 4.0.3 REQUIRED COMPONENTS postgresql sqlite3)

Gives the target SOCI::core, and SOCI::<backend> for each component. The backends' headers include those of the database's
own client library: link that library's target too (PostgreSQL::PostgreSQL, SQLite::SQLite3).
]]
find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_core_LIBRARY soci_core)
if(SOCI_INCLUDE_DIR)
  file(STRINGS "${SOCI_INCLUDE_DIR}/soci/version.h" SOCI_VERSION_LINE REGEX "^#define SOCI_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+$" SOCI_VERSION_NUMBER "${SOCI_VERSION_LINE}")
  math(EXPR SOCI_VERSION_MAJOR "${SOCI_VERSION_NUMBER} / 100000")
  math(EXPR SOCI_VERSION_MINOR "${SOCI_VERSION_NUMBER} / 100 % 1000")
  math(EXPR SOCI_VERSION_PATCH "${SOCI_VERSION_NUMBER} % 100")
  set(SOCI_VERSION "${SOCI_VERSION_MAJOR}.${SOCI_VERSION_MINOR}.${SOCI_VERSION_PATCH}")
endif()

foreach(backend IN LISTS SOCI_FIND_COMPONENTS)
  find_library(SOCI_${backend}_LIBRARY soci_${backend})
  mark_as_advanced(SOCI_${backend}_LIBRARY)
  set(SOCI_${backend}_FOUND FALSE)
  if(SOCI_${backend}_LIBRARY AND EXISTS "${SOCI_INCLUDE_DIR}/soci/${backend}/soci-${backend}.h")
    set(SOCI_${backend}_FOUND TRUE)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  SOCI
  REQUIRED_VARS SOCI_core_LIBRARY SOCI_INCLUDE_DIR
  VERSION_VAR SOCI_VERSION
  HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE "On Debian 12: apt-get install libsoci-dev")
mark_as_advanced(SOCI_INCLUDE_DIR SOCI_core_LIBRARY)

if(SOCI_FOUND)
  foreach(part IN ITEMS core ${SOCI_FIND_COMPONENTS})
    if(NOT TARGET SOCI::${part})
      add_library(SOCI::${part} UNKNOWN IMPORTED)
      set_target_properties(
        SOCI::${part} PROPERTIES IMPORTED_LOCATION "${SOCI_${part}_LIBRARY}"
                                 INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR}")
      if(NOT part STREQUAL "core")
        target_link_libraries(SOCI::${part} INTERFACE SOCI::core)
      endif()
    endif()
  endforeach()
endif()
