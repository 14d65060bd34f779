using Dunlin.Contracts.Updates;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Agent;

/// <summary>Held by the agent that runs on a state directory, so that <c>check</c> leaves it its camera and its session. The kernel frees it, whatever becomes of the process.</summary>
internal static class AgentLock
{
    /// <summary>Held until disposed of. Null: another agent has it, or the directory takes no file; neither keeps this one from running.</summary>
    public static SafeFileHandle? TryTake(StateLayout layout)
    {
        try
        {
            // For reading: a file that is there can be locked on a read-only file system too.
            return File.OpenHandle(layout.Lock, FileMode.OpenOrCreate, FileAccess.Read, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null: this user may not look.</summary>
    public static bool? IsHeld(StateLayout layout)
    {
        try
        {
            using var mine = File.OpenHandle(layout.Lock, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
