using Dunlin.TestKit.Waiting;
using Xunit;

namespace Dunlin.TestKit.Machine;

/// <summary>An ext4 of its own on a loop device, which can be made to fail as after an error of the disk. Needs root.</summary>
public sealed class Ext4 : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("dunlin-ext4-").FullName;
    private readonly string _options;
    private bool _isMounted;

    private Ext4(string options) => _options = options;

    public string Folder => Path.Combine(_place, "disk");

    private string Image => Path.Combine(_place, "image");

    /// <param name="options">Of the mount.</param>
    /// <returns>Null where it cannot be mounted, or not be made to fail.</returns>
    public static Ext4? TryMake(string options)
    {
        var disk = new Ext4(options);
        Directory.CreateDirectory(disk.Folder);
        using (var file = File.OpenHandle(disk.Image, FileMode.CreateNew, FileAccess.Write)) RandomAccess.SetLength(file, 64 * 1024 * 1024);
        disk._isMounted = Run("mkfs.ext4", "-q", disk.Image) && disk.Mount();
        if (disk._isMounted && File.Exists(disk.Trigger)) return disk;
        disk.Dispose();
        return null;
    }

    /// <summary>The kernel finds an error of the file system, and does what the mount option says.</summary>
    public void Fail() => File.WriteAllText(Trigger, "1");

    /// <summary>As a person does after looking at the disk. Nobody uses it meanwhile.</summary>
    public async Task RepairAsync()
    {
        var state = Path.GetDirectoryName(Trigger);
        Unmount();
        await Eventually.TrueAsync(() => !Directory.Exists(state), "no mount namespace of another test holds the disk any longer");
        // 1: errors were corrected.
        Run("e2fsck", "-f", "-y", Image);
        _isMounted = Mount();
        Assert.True(_isMounted, "the repaired disk can be mounted");
    }

    public void Dispose()
    {
        if (_isMounted) Unmount();
        Directory.Delete(_place, recursive: true);
    }

    private string Trigger => $"/sys/fs/ext4/{Device()}/trigger_fs_error";

    private bool Mount() => Run("mount", "-o", $"loop,{_options}", Image, Folder);

    /// <summary>Children of an agent that was killed may take a moment to end.</summary>
    private void Unmount() => Run("sh", "-c", "for i in $(seq 50); do umount \"$1\" 2>/dev/null && exit 0; sleep 0.1; done; umount -l \"$1\"", "sh", Folder);

    private string Device() => File.ReadLines("/proc/mounts").Select(line => line.Split(' ')).Where(parts => parts[1] == Folder).Select(parts => Path.GetFileName(parts[0])).FirstOrDefault() ?? "none";

    private static bool Run(string program, params string[] arguments) => Tool.Run(program, arguments) == 0;
}
