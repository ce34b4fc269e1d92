// SPDX-License-Identifier: BSD-2-Clause
/* Children of the benchmark: in a namespace, on a CPU, and never longer than their parent. */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BR_NET_STOP_MS 5000u
#define BR_NET_POLL_MS 10u

int br_net_pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned int)cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? -errno : 0;
}

void br_net_pause(unsigned int ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&pause, NULL);
}

/* Of the child. */
static int br_net_settle(int ns, int cpu, pid_t parent)
{
	cpu_set_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return -ESRCH; /* too late for the signal */
	CPU_ZERO(&all);
	for (unsigned int i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &all);
	if (cpu >= 0)
		br_net_pin(cpu);
	else
		sched_setaffinity(0, sizeof(all), &all);
	return ns == BR_NET_HOME ? 0 : br_net_enter(ns);
}

pid_t br_net_fork(int ns, int cpu, int (*run)(void *context), void *context)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	if (br_net_settle(ns, cpu, parent))
		_exit(127);
	_exit(run(context));
}

struct br_net_program {
	const char *log;
	const char *const *argv;
};

static int br_net_exec(void *context)
{
	const struct br_net_program *program = context;
	int log = open(program->log ? program->log : "/dev/null",
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (log < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    (program->log && dup2(log, STDERR_FILENO) < 0))
		return 127;
	/* execvp takes strings that it does not change as if it might */
	execvp(program->argv[0], (char *const *)(uintptr_t)program->argv);
	fprintf(stderr, "cannot run %s\n", program->argv[0]);
	return 127;
}

pid_t br_net_spawn(int ns, int cpu, const char *log, const char *const argv[])
{
	struct br_net_program program = {.log = log, .argv = argv};

	return br_net_fork(ns, cpu, br_net_exec, &program);
}

int br_net_wait(pid_t pid)
{
	int status;

	if (pid < 1)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool br_net_alive(pid_t pid)
{
	siginfo_t info = {0};

	return pid > 0 && !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == 0;
}

void br_net_stop(pid_t pid)
{
	if (pid < 1)
		return;
	kill(pid, SIGTERM);
	for (unsigned int ms = 0; ms < BR_NET_STOP_MS && br_net_alive(pid); ms += BR_NET_POLL_MS)
		br_net_pause(BR_NET_POLL_MS);
	kill(pid, SIGKILL);
	br_net_wait(pid);
}
