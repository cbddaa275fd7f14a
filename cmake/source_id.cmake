# cmake -DROOT=DIR -DOUT=FILE -P source_id.cmake: a header with one number for
# all sources that go into coffer and its monitor, so that the two can tell
# whether they were built together.
set(text "")
foreach(dir vmm devices mem crypto firmware)
	file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${dir}/*.[ch])
	list(SORT files)
	foreach(f IN LISTS files)
		file(SHA256 ${ROOT}/${f} digest)
		string(APPEND text "${digest} ${f}\n")
	endforeach()
endforeach()
string(SHA256 id "${text}")
string(SUBSTRING ${id} 0 16 id)
file(WRITE ${OUT} "#define COFFER_SOURCE_ID \"${id}\"\n")
