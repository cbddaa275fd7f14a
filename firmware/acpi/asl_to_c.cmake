# firmware/acpi/asl_to_c.cmake - compile one ASL file to a C array.
#   cmake -DIASL=... -DASL=file.asl -DPREFIX=build/file -DNAME=symbol
#         -DHEADER=include/path.h -P asl_to_c.cmake
# writes PREFIX.aml and PREFIX_aml.c. A warning of iasl is an error; its output
# is shown only then.

execute_process(COMMAND ${IASL} -we -vi -p ${PREFIX} ${ASL}
	RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(NOT result EQUAL 0)
	message(FATAL_ERROR "iasl failed (${result}):\n${text}")
endif()

file(READ ${PREFIX}.aml hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${hex}")
string(REGEX REPLACE "(............................................................) "
	"\\1\n\t" bytes "${bytes}")
file(WRITE ${PREFIX}_aml.c
	"#include \"${HEADER}\"\n\n"
	"const uint8_t ${NAME}[] = {\n\t${bytes}\n};\n"
	"const size_t ${NAME}_len = sizeof(${NAME});\n")
