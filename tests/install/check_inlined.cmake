# Fails unless `program` was optimised at link time: gcc then marks what it has shared between the parts
# of a program with the suffix .lto_priv, as `nm` lists it.
execute_process(COMMAND ${nm} ${program} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES "lto_priv")
  message(FATAL_ERROR "${program} was linked without link-time optimisation")
endif()
