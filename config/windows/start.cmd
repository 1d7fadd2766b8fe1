@echo off
rem Runs qws, and runs it again a minute after it ended for a reason that time may cure. README.md tells more.
rem 0: it was stopped. 2: the settings are wrong, a person must look. 130 and -1073741510: Ctrl+C, or the window closed.
setlocal
if not defined QWS_HOME set "QWS_HOME=C:\qws-home"
cd /d "%~dp0..\.."
:again
".venv\Scripts\qws.exe" run --home "%QWS_HOME%" --quiet
set "CODE=%ERRORLEVEL%"
for %%c in (0 2 130 -1073741510) do if "%CODE%"=="%%c" exit /b %CODE%
ping -n 61 127.0.0.1 >nul
goto again
