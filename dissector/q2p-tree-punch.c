/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-tree-punch.c - the part of the tree that tells of a hole punch: which step this is, what came
 * before and after it, how far the punch came and why no further. */
#include "q2p-tree-private.h"

static void add_relative(proto_tree *tree, int hf, tvbuff_t *tvb, q2p_time time)
{
    nstime_t value = q2p__nstime(time);

    q2p__generated(proto_tree_add_time(tree, hf, tvb, 0, 0, &value));
}

static void add_text(const struct q2p_view *view, proto_tree *tree, int hf, const char *text)
{
    q2p__generated(proto_tree_add_string(tree, hf, view->tvb, 0, 0, text));
}

/* The step that caused this one, as far as it was seen: TOUCH causes nothing. Q2P_STEPS = none. */
static enum q2p_step cause_of(const struct q2p_punch *punch, enum q2p_step step)
{
    for (int before = (int)step - 1; before >= Q2P_STEP_JOIN; before--)
        if (before != Q2P_STEP_TOUCH && punch->frames[before] != 0)
            return (enum q2p_step)before;
    return Q2P_STEPS;
}

static uint32_t frame_beside(const struct q2p_punch *punch, enum q2p_step step, int direction)
{
    for (int at = (int)step + direction; at >= Q2P_STEP_JOIN && at < Q2P_STEPS; at += direction)
        if (punch->frames[at] != 0)
            return punch->frames[at];
    return 0;
}

/* What one frame is to the punch. */
static void show_step(const struct q2p_view *view, proto_tree *tree, enum q2p_step step, bool again)
{
    const struct q2p_punch *punch = view->punch.punch;
    enum q2p_step cause = cause_of(punch, step);

    q2p__generated(proto_tree_add_uint(tree, hf_q2p_punch_step, view->tvb, 0, 0, step + 1U));
    if (again) {
        q2p__add_frame(tree, hf_q2p_punch_first, view->tvb, punch->frames[step]);
        return;
    }
    q2p__add_frame(tree, hf_q2p_punch_previous, view->tvb, frame_beside(punch, step, -1));
    q2p__add_frame(tree, hf_q2p_punch_next, view->tvb, frame_beside(punch, step, 1));
    if (cause != Q2P_STEPS)
        add_relative(tree, hf_q2p_punch_step_time, view->tvb,
                     punch->times[step] - punch->times[cause]);
}

/* How it ended; said in the last frame of the punch, once the capture was read to its end. */
static void show_end(const struct q2p_view *view, proto_tree *tree, proto_item *root)
{
    const struct q2p_punch *punch = view->punch.punch;
    wmem_allocator_t *pool = view->pinfo->pool;
    enum q2p_verdict verdict = q2p_punch_verdict(punch);
    enum q2p_step wanted = q2p_punch_wanted(punch);
    const char *text = q2p_verdict_text(verdict);

    if (!view->pinfo->fd->visited || punch->last_frame != view->pinfo->num)
        return;
    if (q2p_punch_half_open(punch))
        expert_add_info_format(view->pinfo, root, &ei_q2p_half_open,
                               "Half open: %s may have stored %s, which has not stored it",
                               q2p_punch_address(pool, &punch->known),
                               q2p_punch_address(pool, &punch->newcomer));
    if (verdict == Q2P_VERDICT_DONE)
        return;
    add_text(view, tree, hf_q2p_punch_wanted, q2p_step_name(wanted));
    add_text(view, tree, hf_q2p_punch_verdict, text);
    expert_add_info_format(view->pinfo, root, &ei_q2p_punch_stopped,
                           "Hole punch stopped: no %s of the %s; %s", q2p_step_name(wanted),
                           q2p_step_sender(punch, wanted), text);
    q2p__add_frame(tree, hf_q2p_refused_in, view->tvb, q2p_punch_refused(punch));
}

static void show_one(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_punch *punch = view->punch.punch;
    wmem_allocator_t *pool = view->pinfo->pool;
    proto_item *root;
    proto_tree *below = proto_tree_add_subtree_format(
        tree, view->tvb, 0, 0, ett_q2p_punch, &root, "Hole punch %u: %s", punch->index,
        tree == NULL ? "" : q2p_punch_id(pool, punch));
    bool join = view->visit->role == Q2P_ROLE_JOIN;
    enum q2p_step step = view->punch.step;

    q2p__generated(root);
    q2p__generated(proto_tree_add_uint(below, hf_q2p_punch, view->tvb, 0, 0, punch->index));
    if (tree != NULL) {
        add_text(view, below, hf_q2p_punch_newcomer, q2p_punch_address(pool, &punch->newcomer));
        add_text(view, below, hf_q2p_punch_known, q2p_punch_address(pool, &punch->known));
        if (punch->seed.ip_len > 0)
            add_text(view, below, hf_q2p_punch_seed, q2p_punch_address(pool, &punch->seed));
    }
    show_step(view, below, step, view->punch.again && !join);
    add_text(view, below, hf_q2p_punch_state, q2p_step_name(q2p_punch_reached(punch)));
    q2p__add_frame(below, hf_q2p_punch_connected_in, view->tvb, punch->frames[Q2P_STEP_CONNECTED]);
    if (join)
        return;
    if (punch->frames[Q2P_STEP_CONNECTED] != 0)
        add_relative(below, hf_q2p_punch_time, view->tvb, q2p_punch_time(punch));
    show_end(view, below, root);
    q2p__complain(view, root, view->punch.again, &ei_q2p_punch_again);
    q2p__complain(view, root,
                  step == Q2P_STEP_CONNECTED && !view->punch.again &&
                      punch->frames[Q2P_STEP_CONNECT] == 0,
                  &ei_q2p_unasked);
    q2p__complain(view, root,
                  (step == Q2P_STEP_TOUCH && punch->moved_from[0] == view->pinfo->srcport) ||
                      (step == Q2P_STEP_CONNECT && punch->moved_from[1] == view->pinfo->srcport),
                  &ei_q2p_moved);
}

/* A JOIN begins one punch for each node that the seed knows. */
static void show_join(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_join *join = view->visit->join;
    struct q2p_view one = *view;
    uint32_t count = 0;
    const uint32_t shown_max = 128; /* a node has no more peers */

    for (const struct q2p_punch *punch = join->first; punch != NULL; punch = punch->next_of_join) {
        one.punch.punch = punch;
        if (count++ < shown_max)
            show_one(&one, tree);
    }
    q2p__generated(proto_tree_add_uint(tree, hf_q2p_punch_count, view->tvb, 0, 0, count));
    if (join->side->refused_frame > join->frame)
        q2p__add_frame(tree, hf_q2p_refused_in, view->tvb, join->side->refused_frame);
}

void q2p__show_punch(const struct q2p_view *view, proto_tree *tree)
{
    if (view->visit->role == Q2P_ROLE_JOIN)
        show_join(view, tree);
    else
        show_one(view, tree);
}
