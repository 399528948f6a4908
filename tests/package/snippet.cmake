# write_snippet(<document> <language> <file>): the document's one block of code in that language.
function(write_snippet document language file)
  file(READ "${document}" text)
  if(NOT text MATCHES "\n```${language}\n(([^`]|`[^`])*)\n```")
    message(FATAL_ERROR "${document} has no block of ${language}")
  endif()
  file(WRITE "${file}" "${CMAKE_MATCH_1}\n")
endfunction()
