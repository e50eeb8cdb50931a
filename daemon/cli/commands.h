/*
 * commands.h - the rows of the table in commands.c, each defined in the file of its name.
 */
#ifndef PATHWAY_CLI_COMMANDS_H
#define PATHWAY_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command advise_command;
extern const struct command backup_command;
extern const struct command changes_command;
extern const struct command check_command;
extern const struct command doc_command;
extern const struct command explain_command;
extern const struct command export_command;
extern const struct command forecast_command;
extern const struct command history_command;
extern const struct command import_events_command;
extern const struct command import_links_command;
extern const struct command import_schools_command;
extern const struct command judge_command;
extern const struct command new_overlay_command;
extern const struct command overlay_push_command;
extern const struct command overlay_rollback_command;
extern const struct command overlay_status_command;
extern const struct command person_erase_command;
extern const struct command person_set_command;
extern const struct command person_show_command;
extern const struct command quarantine_discard_command;
extern const struct command quarantine_list_command;
extern const struct command quarantine_retry_command;
extern const struct command reload_command;
extern const struct command replay_command;
extern const struct command restated_command;
extern const struct command restore_command;
extern const struct command send_command;
extern const struct command show_command;
extern const struct command status_command;
extern const struct command test_command;
extern const struct command token_add_command;
extern const struct command token_list_command;
extern const struct command token_revoke_command;
extern const struct command types_command;
extern const struct command verify_command;
extern const struct command whatif_command;
extern const struct command webhook_add_command;
extern const struct command webhook_list_command;
extern const struct command webhook_pause_command;
extern const struct command webhook_remove_command;
extern const struct command webhook_replay_command;
extern const struct command webhook_resume_command;
extern const struct command webhook_rotate_command;
extern const struct command webhook_test_command;

#endif
