#!/bin/busybox sh
# Process 1 of the guest. It prepares the system, runs one program and tells the host how that ended.
#
# Four ports lead to the host: 1 carries lines in both directions (ready, exit, error), 2 and 3 are the program's
# output and error output, 4 its input. Nothing but the program writes to 2 and 3, until a marker ends each of them: the
# marker is how the host knows that it has read everything, because the end of a port cannot be told from a pause.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root USER=root LOGNAME=root SHELL=/bin/sh
umask 022

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
mkdir -p /run/netns /run/lock /run/vm
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr

# marker, stdin, interactive, size, modules, without_ipvs
. /vm/settings

finish() {
	# The host ends the emulator as soon as it has read this line.
	echo "$*" >&3
	read -r _ <&3
	sync
	reboot -f
}

give_up() {
	echo "init: $*" >/dev/console
	sync
	reboot -f
}

/sbin/modprobe -a virtio_mmio virtio_console || give_up "no virtio modules"
# A port can be opened when it has its name; its device node is there a moment earlier.
ports=1
[ -n "$interactive" ] || ports="1 2 3 4"
for port in $ports; do
	tries=0
	until [ -e "/sys/class/virtio-ports/vport0p$port/name" ]; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || give_up "no port $port to the host"
		sleep 0.02
	done
done
exec 3<>/dev/vport0p1

ip link set lo up
echo guest >/proc/sys/kernel/hostname
if [ -n "$without_ipvs" ]; then
	find /lib/modules/ -name 'ip_vs*' -exec rm {} +
fi
for module in $modules; do
	/sbin/modprobe "$module" || finish "error the module $module cannot be loaded"
done

echo "ready $(nproc)" >&3

if [ -n "$interactive" ]; then
	cd /root || cd /
	setsid -c sh -c "stty $size; exec bash" 3>&- </dev/hvc0 >/dev/hvc0 2>&1
	finish "exit $?"
fi

# The program gets pipes, not the ports: a port opens only once, and programs may open /dev/stdout again.
exec 4>/dev/vport0p2 5>/dev/vport0p3
mkfifo /run/vm/out /run/vm/err
cat </run/vm/out >&4 3>&- 4>&- 5>&- &
out=$!
cat </run/vm/err >&5 3>&- 4>&- 5>&- &
err=$!
input=/dev/null
if [ -n "$stdin" ]; then
	mkfifo /run/vm/in
	cat </dev/vport0p4 >/run/vm/in 3>&- 4>&- 5>&- &
	input=/run/vm/in
fi

# In the foreground: a shell starts its background programs deaf to SIGINT.
(
	exec 3>&- 4>&- 5>&-
	cd /root || exit 125
	. /vm/command
) <$input >/run/vm/out 2>/run/vm/err
status=$?

# A program may leave another one behind that holds on to its output. It is not waited for; but what has been
# written must still reach the host, however slowly it reads. So only a `cat` that waits for its pipe is stopped.
release() {
	idle=0
	while [ $idle -lt 3 ]; do
		sleep 0.3
		case "$(cat "/proc/$1/wchan" 2>/dev/null)" in
		*pipe_read* | *wait_for_space* | *pipe_wait* | *ipipe*) idle=$((idle + 1)) ;;
		*) idle=0 ;;
		esac
		kill -0 "$1" 2>/dev/null || return
	done
	kill "$1"
}
release $out &
release $err &
wait $out
wait $err
printf '\0%s' "$marker" >&4
printf '\0%s' "$marker" >&5
finish "exit $status"
