# Installs the build `build_dir` into a fresh prefix, builds `source_dir` against it with `compiler` and
# `flags`, and runs the result. Any failing step fails the test.
set(scratch ${build_dir}/install-check)
file(REMOVE_RECURSE ${scratch})
set(run COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build_dir} --prefix ${scratch}/prefix ${run})
execute_process(
  COMMAND
    ${CMAKE_COMMAND} -G Ninja -S ${source_dir} -B ${scratch}/build -D CMAKE_CXX_COMPILER=${compiler}
    "-DCMAKE_CXX_FLAGS=${flags}" -D CMAKE_PREFIX_PATH=${scratch}/prefix
    -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF ${run}
)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${scratch}/build ${run})
execute_process(COMMAND ${scratch}/build/consumer ${run})
