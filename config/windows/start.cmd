@echo off
rem Runs qws, and runs it again a minute after it ended for a reason that time may cure. README.md tells more.
rem 0: it was stopped. 130 and -1073741510: Ctrl+C, or the window closed. 2: wrong settings, or not armed: a person must
rem look, so the window stays open. This script itself ends with 0: Task Scheduler has nothing to start again.
setlocal
if not defined QWS_HOME set "QWS_HOME=C:\qws-home"
cd /d "%~dp0..\.."
if not exist ".venv\Scripts\qws.exe" goto missing
:again
".venv\Scripts\qws.exe" run --home "%QWS_HOME%" --quiet
set "CODE=%ERRORLEVEL%"
for %%c in (0 130 -1073741510) do if "%CODE%"=="%%c" exit /b 0
if "%CODE%"=="2" goto person
echo qws ended with code %CODE% and starts again in a minute. To stop it, press Ctrl+C.
ping -n 61 127.0.0.1 >nul
goto again
:missing
echo qws is not installed in "%CD%": run "uv sync" there, then close this window and start the task qws again.
pause
exit /b 0
:person
echo qws does NOT run, and does not start again by itself: the reason stands above.
echo Look with ".venv\Scripts\qws.exe" doctor --home "%QWS_HOME%"
echo When that is mended, close this window and start the task qws again.
pause
exit /b 0
