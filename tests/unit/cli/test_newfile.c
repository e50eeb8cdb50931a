/* test_newfile.c - a file is there whole or not at all, and nobody's is lost. */
#include "tests/unit/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/newfile.h"

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/pathway-newfile-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

/* The files in the folder. */
static int count(void)
{
    DIR *dir = opendir(folder);
    int files = 0;

    for (struct dirent *e; (e = readdir(dir));)
        files += e->d_name[0] != '.';
    closedir(dir);
    return files;
}

static int tear_down(void **state)
{
    char name[512];
    DIR *dir = opendir(folder);

    (void)state;
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(name, sizeof(name), "%s/%s", folder, e->d_name);
        unlink(name);
    }
    closedir(dir);
    return rmdir(folder);
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_holds(const char *expected)
{
    char text[64] = "";
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    assert_string_equal(text, expected);
}

static void it_has_its_name_when_it_is_finished(void **state)
{
    struct newfile f;
    struct stat st;

    (void)state;
    assert_ok(newfile_begin(&f, path, false, &err));
    put(f.partial, "all of it");
    assert_int_equal(access(path, F_OK), -1);
    assert_ok(newfile_finish(&f, &err));
    newfile_fini(&f);
    assert_holds("all of it");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count(), 1);
}

static void given_up_it_leaves_nothing(void **state)
{
    struct newfile f;

    (void)state;
    assert_ok(newfile_begin(&f, path, false, &err));
    put(f.partial, "half");
    newfile_fini(&f);
    assert_int_equal(count(), 0);
}

static void what_is_there_is_replaced_only_when_told(void **state)
{
    struct newfile f;

    (void)state;
    put(path, "mine");
    assert_int_equal(newfile_begin(&f, path, false, &err), ERR_CONFLICT);
    newfile_fini(&f);
    assert_holds("mine");
    assert_ok(newfile_begin(&f, path, true, &err));
    put(f.partial, "yours");
    assert_holds("mine");
    assert_ok(newfile_finish(&f, &err));
    newfile_fini(&f);
    assert_holds("yours");
}

static void one_that_comes_meanwhile_stays(void **state)
{
    struct newfile f;

    (void)state;
    assert_ok(newfile_begin(&f, path, false, &err));
    put(f.partial, "yours");
    put(path, "mine");
    assert_int_equal(newfile_finish(&f, &err), ERR_CONFLICT);
    newfile_fini(&f);
    assert_holds("mine");
    assert_int_equal(count(), 1);
}

static void two_at_once_are_refused_and_a_dead_one_is_taken_over(void **state)
{
    struct newfile f, other;
    char partial[128];

    (void)state;
    snprintf(partial, sizeof(partial), "%s.partial", path);
    put(partial, "what a killed one left, and more than the new one has");
    assert_ok(newfile_begin(&f, path, false, &err));
    assert_int_equal(newfile_begin(&other, path, false, &err), ERR_BUSY);
    newfile_fini(&other);
    put(f.partial, "new");
    assert_ok(newfile_finish(&f, &err));
    newfile_fini(&f);
    assert_holds("new");
}

static void a_database_in_use_is_no_old_backup(void **state)
{
    static const char *const ENDINGS[] = { "-wal", ".lock" };
    struct newfile f;
    char beside[128];

    (void)state;
    for (int i = 0; i < 2; i++) {
        put(path, "mine");
        snprintf(beside, sizeof(beside), "%s%s", path, ENDINGS[i]);
        put(beside, "");
        assert_int_equal(newfile_begin(&f, path, true, &err), ERR_CONFLICT);
        newfile_fini(&f);
        unlink(beside);
    }
    assert_holds("mine");
}

#define FRESH(fn) CASE_WITH(fn, set_up, tear_down)
TEST_MAIN(FRESH(it_has_its_name_when_it_is_finished), FRESH(given_up_it_leaves_nothing),
          FRESH(what_is_there_is_replaced_only_when_told), FRESH(one_that_comes_meanwhile_stays),
          FRESH(two_at_once_are_refused_and_a_dead_one_is_taken_over),
          FRESH(a_database_in_use_is_no_old_backup))
