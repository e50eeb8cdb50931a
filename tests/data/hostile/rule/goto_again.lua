-- expects: million steps; is there a loop
::again::
goto again
