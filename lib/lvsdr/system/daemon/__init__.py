"""The effects that a long-lived process needs: sockets, output, notification of systemd."""
