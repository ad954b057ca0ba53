/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The API as a C program uses it, with automatic cleanup; the other files of this program each
 * include one public header. All are compiled as C11. */
#include <sightline/sightline.h>

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  g_autoptr(GstBuffer) buffer = gst_buffer_new();
  g_autoptr(GError) error = NULL;
  const SightBox box = {1, 2, 3, 4};
  const gfloat values[] = {1, 2};
  const gint64 shape[] = {2};
  g_autoptr(GBytes) bytes = g_bytes_new_static(values, sizeof values);
  g_autoptr(SightTensor) tensor =
      sight_tensor_new("embedding", SIGHT_ELEMENT_FLOAT32, shape, 1, bytes, &error);
  g_autoptr(SightIdentity) identity = sight_identity_new("p1", "Ada", 0.5f, "p1", "Ada");

  SightFrame* frame = sight_buffer_edit_frame(buffer, &error);
  SightObject* object = sight_frame_add_object(frame, "face", 0, 0.5f, &box, 0, &error);
  gboolean ok = sight_object_add_tensor(object, tensor, &error) &&
                sight_object_set_identity(object, identity, &error);
  g_autoptr(SightFrame) kept = sight_frame_ref(sight_buffer_get_frame(buffer));
  g_clear_pointer(&buffer, gst_buffer_unref);

  gsize n = 0;
  const gfloat* read = sight_tensor_get_floats(
      sight_object_find_tensor(sight_frame_get_object(kept, 0), "embedding"), &n, NULL);
  ok = ok && error == NULL && n == 2 && read[1] == 2;
  ok = ok && !sight_object_set_track(sight_frame_get_object(kept, 0), 1, &error) &&
       g_error_matches(error, SIGHT_ERROR, SIGHT_ERROR_READ_ONLY);
  return ok ? 0 : 1;
}
