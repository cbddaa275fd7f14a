# The kinds of target and test of this project, and the flags they share.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# assert() guards our own bugs and stays on in every build.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
# ar writes the index itself: one program less for each of many small archives.
set(CMAKE_C_ARCHIVE_CREATE "<CMAKE_AR> qcs <TARGET> <LINK_FLAGS> <OBJECTS>")
set(CMAKE_C_ARCHIVE_FINISH "")

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(KEYUTILS REQUIRED IMPORTED_TARGET libkeyutils)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent_core)

# To find, map and bind three small libraries takes a quarter of a millisecond
# of every start: archives instead, where they lie beside the libraries that
# pkg-config has found, and nowhere else: these are what the headers belong to.
if(NOT COFFER_SHARED_LIBS)
	foreach(lib IN ITEMS JANSSON KEYUTILS LIBEVENT)
		find_library(${lib}_ARCHIVE lib${${lib}_LIBRARIES}.a
			PATHS ${${lib}_LIBDIR} NO_DEFAULT_PATH)
		if(${lib}_ARCHIVE)
			set_target_properties(PkgConfig::${lib} PROPERTIES
				INTERFACE_LINK_LIBRARIES ${${lib}_ARCHIVE})
		endif()
	endforeach()
endif()

add_library(coffer_flags INTERFACE)
target_include_directories(coffer_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(coffer_flags INTERFACE _GNU_SOURCE)
target_compile_options(coffer_flags INTERFACE
	-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wformat=2
	-fno-strict-aliasing -fno-common ${COFFER_DEBUG_INFO}
	$<$<BOOL:${COFFER_WERROR}>:-Werror>
	"-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(COFFER_SANITIZE)
	target_compile_definitions(coffer_flags INTERFACE COFFER_SANITIZED)
	target_compile_options(coffer_flags INTERFACE
		-fsanitize=${COFFER_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(coffer_flags INTERFACE -fsanitize=${COFFER_SANITIZE})
	# It does not see fences, and gcc says so of each: ours order accesses of
	# a guest, which it does not see either.
	if(COFFER_SANITIZE STREQUAL "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
		target_compile_options(coffer_flags INTERFACE -Wno-tsan)
	endif()
else()
	target_compile_options(coffer_flags INTERFACE
		-fstack-protector-strong -fstack-clash-protection -fcf-protection
		$<$<CONFIG:Release>:-U_FORTIFY_SOURCE>
		$<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
	target_link_options(coffer_flags INTERFACE
		-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(COFFER_FAULTS)
	target_compile_definitions(coffer_flags INTERFACE COFFER_FAULTS)
endif()
if(COFFER_FUZZ)
	# Coverage in every component, the driver only in the fuzzers.
	target_compile_options(coffer_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# vmm_component(NAME SRC file... [USES component...] [LIBS library...])
# One STATIC library; USES is PUBLIC, so that a missing one is a link error.
# A file is named relative to the calling CMakeLists.txt.
function(vmm_component name)
	cmake_parse_arguments(C "" "" "SRC;USES;LIBS" ${ARGN})
	add_library(${name} STATIC ${C_SRC})
	target_link_libraries(${name} PUBLIC coffer_flags ${C_USES} PRIVATE ${C_LIBS})
endfunction()

# Links hundreds of tests in half the time; what is shipped has the compiler's own.
find_program(quick_linker ld.gold)
mark_as_advanced(quick_linker)

# unit_test(NAME [USES component...]): tests/unit/test_NAME.c -> ctest unit.NAME
# The component NAME itself is linked when there is one.
function(unit_test name)
	cmake_parse_arguments(C "" "" "SRC;USES;LIBS" ${ARGN})
	if(NOT BUILD_TESTING)
		return()
	endif()
	pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
	add_executable(test_${name} ${CMAKE_SOURCE_DIR}/tests/unit/test_${name}.c ${C_SRC})
	# The component is compiled as it is shipped; its test is compiled quickly.
	target_compile_options(test_${name} PRIVATE -Og)
	if(quick_linker)
		target_link_options(test_${name} PRIVATE -fuse-ld=gold)
	endif()
	if(TARGET ${name})
		target_link_libraries(test_${name} PRIVATE ${name})
	endif()
	target_link_libraries(test_${name} PRIVATE coffer_flags ${C_USES} ${C_LIBS} PkgConfig::CMOCKA)
	add_test(NAME unit.${name} COMMAND test_${name})
	set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# fuzz_target(NAME [USES component...]): tests/fuzz/fuzz_NAME.c, which defines
# LLVMFuzzerTestOneInput(). With COFFER_FUZZ: a libFuzzer binary fuzz_NAME. In
# every other build: replay of tests/fuzz/corpus/NAME as ctest fuzz.NAME.
function(fuzz_target name)
	cmake_parse_arguments(C "" "" "SRC;USES;LIBS" ${ARGN})
	if(NOT BUILD_TESTING)
		return()
	endif()
	set(src ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c ${C_SRC})
	if(NOT COFFER_FUZZ)
		list(APPEND src ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.c)
	endif()
	add_executable(fuzz_${name} ${src})
	target_link_libraries(fuzz_${name} PRIVATE coffer_flags ${C_USES} ${C_LIBS})
	if(COFFER_FUZZ)
		if(NOT TARGET fuzzers)
			add_custom_target(fuzzers)
		endif()
		add_dependencies(fuzzers fuzz_${name})
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
		return()
	endif()
	add_test(NAME fuzz.${name}
		COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
	set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

# system_test(NAME TIMEOUT seconds [LABEL label] COMMAND word...): a test of
# whole programs, of label kvm unless said otherwise. Status 77: cannot run
# here. COFFER_SANITIZED and COFFER_FAULTS in its environment say what it tests.
function(system_test name)
	cmake_parse_arguments(C "" "TIMEOUT;LABEL" "COMMAND" ${ARGN})
	if(NOT C_LABEL)
		set(C_LABEL kvm)
	endif()
	add_test(NAME ${name} COMMAND ${C_COMMAND})
	set_tests_properties(${name} PROPERTIES
		LABELS ${C_LABEL} SKIP_RETURN_CODE 77 TIMEOUT ${C_TIMEOUT})
	if(COFFER_SANITIZE)
		set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT COFFER_SANITIZED=1)
	endif()
	if(COFFER_FAULTS)
		set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT COFFER_FAULTS=1)
	endif()
endfunction()

# system_cases(PREFIX script.py TIMEOUT seconds [LABEL label] [ARGS word...]):
# a system test PREFIX.CASE for each CASE that `script.py list` prints; it is
# called with ARGS and CASE. Debian's own Python has the modules they need.
function(system_cases prefix script)
	cmake_parse_arguments(C "" "TIMEOUT;LABEL" "ARGS" ${ARGN})
	set(script ${CMAKE_CURRENT_SOURCE_DIR}/${script})
	execute_process(COMMAND /usr/bin/python3 ${script} list
		OUTPUT_VARIABLE cases OUTPUT_STRIP_TRAILING_WHITESPACE
		COMMAND_ERROR_IS_FATAL ANY)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
	string(REPLACE "\n" ";" cases "${cases}")
	foreach(case IN LISTS cases)
		system_test(${prefix}.${case} TIMEOUT ${C_TIMEOUT} LABEL "${C_LABEL}"
			COMMAND /usr/bin/python3 ${script} ${C_ARGS} ${case})
	endforeach()
endfunction()
