/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the calls of a PKCS#11 module, as the lines on standard input say:
 *
 *   bench-caller MODULE PROCESSES THREADS       each of the processes calls from so many threads, all at once
 *   bench-caller - 0 0                          loads no module; has `echo` alone
 *
 *   row NAME OPERATION WORDS...                 make ready for a row (row.h), and forget the one before
 *   seconds NUMBER, or times NUMBER             a round: call for so long, or so often from each caller
 *
 * Each line is answered with one of JSON, and so is the start. The module's first token that has a PIN is used; the PIN
 * is in the environment, BENCH_PIN. At the end of input, token objects are destroyed. `softee bench` makes the lines,
 * and makes sense of the answers.
 */
#include "acts.h"
#include "alone.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct conductor {
    struct stage *stage;
    struct process process; /* for what it times itself */
    struct row row;
    unsigned processes, threads;
    bool has_row;
};

/* A caller that dies would leave the others waiting for it. */
static void on_child(int number)
{
    int status;

    (void)number;
    while (waitpid(-1, &status, WNOHANG) > 0)
        if (status != 0)
            _exit(3);
}

static void *thread(void *caller)
{
    follow(caller);
    return NULL;
}

/* One calling process: all of its threads. */
static void run_process(const struct conductor *conductor, unsigned number)
{
    struct process process = conductor->process;
    struct caller *callers = calloc(conductor->threads, sizeof(*callers));

    process.fills = number == 0;
    for (unsigned i = 0; callers != NULL && i < conductor->threads; i++) {
        pthread_t started;

        callers[i] = (struct caller){.process = &process, .number = number * conductor->threads + i, .first = i == 0};
        if (i > 0 && pthread_create(&started, NULL, thread, &callers[i]) != 0)
            _exit(4);
    }
    if (callers == NULL)
        _exit(4);
    follow(&callers[0]);
    _exit(0);
}

static bool start_processes(const struct conductor *conductor)
{
    const pid_t parent = getpid();

    signal(SIGCHLD, on_child);
    for (unsigned i = 0; i < conductor->processes; i++) {
        const pid_t child = fork();

        if (child < 0)
            return false;
        if (child == 0) {
            signal(SIGCHLD, SIG_DFL);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == parent)
                run_process(conductor, i);
            _exit(5);
        }
    }
    return true;
}

static void perform(const struct conductor *conductor, enum act act)
{
    struct stage *stage = conductor->stage;

    if (conductor->processes == 0)
        return;
    stage->act = act;
    pthread_barrier_wait(&stage->begin);
    pthread_barrier_wait(&stage->middle);
    pthread_barrier_wait(&stage->end);
}

static void print_failure(const struct stage *stage)
{
    printf("{\"function\": \"%s\", \"rv\": %lu}\n", stage->function, stage->rv);
}

static void print_text(const char *name, const CK_UTF8CHAR *text, size_t size)
{
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\0'))
        size--;
    printf("\"%s\": \"", name);
    for (size_t i = 0; i < size; i++)
        putchar(text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\' ? '?' : text[i]);
    printf("\"");
}

static void print_module(const struct conductor *conductor)
{
    const CK_INFO *info = &conductor->stage->info;

    if (conductor->stage->fails) {
        print_failure(conductor->stage);
        return;
    }
    printf("{");
    print_text("manufacturer", info->manufacturerID, sizeof(info->manufacturerID));
    printf(", ");
    print_text("library", info->libraryDescription, sizeof(info->libraryDescription));
    printf(", \"version\": \"%u.%u\"}\n", info->libraryVersion.major, info->libraryVersion.minor);
}

static void prepare(struct conductor *conductor, const char *line)
{
    struct stage *stage = conductor->stage;

    if (conductor->has_row)
        perform(conductor, FINISH);
    row_free(&conductor->row);
    stage->fails = false;
    conductor->has_row = true;
    snprintf(stage->line, sizeof(stage->line), "%s", line);
    if (!row_read(&conductor->row, line))
        stage_fail(stage, "a row, which was not understood,", CKR_ARGUMENTS_BAD);
    perform(conductor, PREPARE);
    if (stage->fails)
        print_failure(stage);
    else
        printf("{\"row\": \"%s\"}\n", conductor->row.name);
}

static void print_round(const struct conductor *conductor, unsigned callers)
{
    const struct result *results = conductor->stage->results;
    struct result sum = {0};
    double rate = 0;

    for (unsigned i = 0; i < callers; i++) {
        sum.calls += results[i].calls;
        sum.ns += results[i].ns;
        sum.cpu_ns += results[i].cpu_ns;
        if (results[i].ns > 0)
            rate += (double)results[i].calls * 1e9 / (double)results[i].ns;
    }
    printf("{\"row\": \"%s\", \"processes\": %u, \"threads\": %u, \"calls\": %" PRIu64
           ", \"rate\": %.3f, \"cpu\": %.9f}\n",
           conductor->row.name, conductor->processes, conductor->threads, sum.calls, rate, (double)sum.cpu_ns / 1e9);
}

static void play_round(struct conductor *conductor, int64_t ns, uint64_t times)
{
    struct stage *stage = conductor->stage;
    unsigned callers = conductor->processes * conductor->threads;

    stage->ns = ns;
    stage->times = times;
    if (stage->fails) {
        print_failure(stage);
        return;
    }
    if (alone(&conductor->process, &conductor->row, stage->results)) {
        callers = 1;
    } else {
        perform(conductor, CALL);
        perform(conductor, CLEAN);
    }
    if (stage->fails)
        print_failure(stage);
    else
        print_round(conductor, callers);
}

static void obey(struct conductor *conductor, const char *line)
{
    const char *value = strchr(line, ' ') != NULL ? strchr(line, ' ') + 1 : "";

    if (strncmp(line, "row ", 4) == 0)
        prepare(conductor, value);
    else if (strncmp(line, "seconds ", 8) == 0)
        play_round(conductor, (int64_t)(strtod(value, NULL) * 1e9), 0);
    else if (strncmp(line, "times ", 6) == 0)
        play_round(conductor, 0, strtoul(value, NULL, 10));
    else
        puts("{\"function\": \"a line, which was not understood,\", \"rv\": 7}");
}

static int conduct(struct conductor *conductor)
{
    static char line[LONGEST_LINE];

    perform(conductor, START);
    print_module(conductor);
    fflush(stdout);
    while (!conductor->stage->fails || conductor->has_row) {
        if (fgets(line, sizeof(line), stdin) == NULL)
            break;
        line[strcspn(line, "\n")] = '\0';
        obey(conductor, line);
        fflush(stdout);
    }
    if (conductor->has_row)
        perform(conductor, FINISH);
    perform(conductor, LEAVE);
    row_free(&conductor->row);
    return 0;
}

int main(int argc, char **argv)
{
    struct conductor conductor = {.has_row = false};

    if (argc != 4) {
        fputs("bench-caller MODULE PROCESSES THREADS\n", stderr);
        return 2;
    }
    conductor.processes = (unsigned)strtoul(argv[2], NULL, 10);
    conductor.threads = (unsigned)strtoul(argv[3], NULL, 10);
    if (conductor.processes > MOST_CALLERS || conductor.threads > MOST_CALLERS ||
        conductor.processes * conductor.threads > MOST_CALLERS)
        return 2;
    conductor.stage = stage_new(conductor.processes * conductor.threads);
    if (conductor.stage == NULL || setvbuf(stdout, NULL, _IOLBF, 0) != 0)
        return 2;
    conductor.process = (struct process){.stage = conductor.stage, .module = argv[1], .pin = getenv("BENCH_PIN")};
    if (conductor.process.pin == NULL)
        conductor.process.pin = "";
    if (!start_processes(&conductor))
        return 4;
    return conduct(&conductor);
}
