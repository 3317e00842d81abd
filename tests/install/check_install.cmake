# Installs the build `build_dir` into a fresh prefix, builds programs of `source_dir` against it with
# `compiler` and `flags`, and runs them: `consumer`, and with `node` also `embedder`. Any failing step
# fails the test. The installed objects also carry what link-time optimisation needs: here they link at
# once.
set(scratch ${build_dir}/install-check)
file(REMOVE_RECURSE ${scratch})
set(run COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build_dir} --prefix ${scratch}/prefix ${run})

function(build name)
  execute_process(
    COMMAND
      ${CMAKE_COMMAND} -G Ninja -S ${source_dir}/${name} -B ${scratch}/${name} -D
      CMAKE_CXX_COMPILER=${compiler} "-DCMAKE_CXX_FLAGS=${flags}" -D
      CMAKE_PREFIX_PATH=${scratch}/prefix -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -D
      CMAKE_EXE_LINKER_FLAGS=-fno-lto ${ARGN} ${run}
  )
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${scratch}/${name} ${run})
endfunction()

build(consumer)
execute_process(COMMAND ${scratch}/consumer/consumer ${run})

if(node)
  file(GLOB installed RELATIVE ${scratch}/prefix/include/tombolo ${scratch}/prefix/include/tombolo/node/*)
  if(NOT installed STREQUAL "node/embedded_node.h")
    message(FATAL_ERROR "installed headers of the node: ${installed}, wanted its public one alone")
  endif()
  build(embedder -D example=${source_dir}/../../node/examples/talk.cc)
  execute_process(
    COMMAND python3 ${source_dir}/run_talk.py ${scratch}/embedder/talk ${scratch}/embedder ${run}
  )
endif()
