# SIGTERM and SIGINT press the power button, and a guest that listens ends.
# each: term TERM
# each: int INT
test="coffer.test=button coffer.load=button,evdev"
start_guest cloud --stop-timeout 60
wait_for 50 'waiting for the power button'
kill -"$1" "$coffer_pid"
wait_coffer
expect_line 'power button pressed'
expect_status 0
