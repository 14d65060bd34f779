using System.Reflection;
using System.Runtime.InteropServices;
using Dunlin.Contracts.Artifacts;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// Loads libtorch from where it was installed, else from the NuGet cache, instead of copying its 480 MB beside every program that
/// may train, and makes TorchSharp's own library load on Debian 12: it demands GLIBCXX_3.4.32 (GCC 13) without using a symbol of it.
/// </summary>
internal static partial class TorchLibrary
{
    private const string Shim = "libLibTorchSharp.so";
    private const string NeedlessVersion = "GLIBCXX_3.4.32";
    private static readonly Lock Gate = new();
    private static nint _handle;

    /// <summary>Must be called before the first use of a torch type; further calls do nothing.</summary>
    /// <exception cref="DllNotFoundException">libtorch is not here or does not load; the message says what to do.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (_handle != 0) return;
            // Read when libgomp loads: its threads sleep between two operators instead of spinning, unless somebody said otherwise.
            NativeEnvironment.Set("OMP_WAIT_POLICY", "passive", overwrites: false);
            KeepMemory();
            var folder = Prepare(NativeFolder("LibTorchPackage"), NativeFolder("TorchSharpPackage"));
            try
            {
                // TorchSharp asks for the library by its soname, which the dynamic linker then finds loaded.
                _handle = NativeLibrary.Load(Path.Combine(folder, Shim));
            }
            catch (DllNotFoundException error)
            {
                throw new DllNotFoundException($"libtorch in '{folder}' does not load on this machine: {error.Message}", error);
            }
        }
    }

    // A step asks for the tensors of the step before. glibc would return the large ones to the kernel and have them zeroed page by
    // page each time, a fifth of a ResNet-50's training: keep them, in the one arena that can grow beyond 64 MB.
    private static void KeepMemory()
    {
        const int trimThreshold = -1, topPad = -2, mmapMaximum = -4, arenaMaximum = -8;
        _ = SetAllocator(arenaMaximum, 1);
        _ = SetAllocator(mmapMaximum, 0);
        _ = SetAllocator(trimThreshold, int.MaxValue);
        _ = SetAllocator(topPad, 64 << 20);
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int parameter, int value);

    // `./build.sh install` puts both packages' libraries beside the programs: whoever uses them may not see the cache of whoever built them.
    private static string NativeFolder(string package)
    {
        var installed = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "torch"));
        if (Directory.Exists(installed)) return installed;
        var root = typeof(TorchLibrary).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == package).Value!;
        var folder = Path.Combine(root, "runtimes", "linux-x64", "native");
        return Directory.Exists(folder)
            ? folder
            : throw new DllNotFoundException($"Training needs libtorch (x64 Linux), which this user finds neither in '{installed}' nor in '{folder}'; install the programs with `./build.sh install`, or run `dotnet restore src/Optimizer` where they were built.");
    }

    // A folder of links to libtorch and a weakened copy of the shim, whose run path is its own folder.
    private static string Prepare(string torch, string sharp)
    {
        var shim = File.ReadAllBytes(Path.Combine(sharp, Shim));
        var key = Digest.Of([.. shim, .. System.Text.Encoding.UTF8.GetBytes(torch)]).Hex[..16];
        var folder = Path.Combine(CacheFolder.Path, "torch", key);
        if (Directory.Exists(folder)) return folder;

        VersionRequirement.Weaken(shim, NeedlessVersion);
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        var fresh = Directory.CreateDirectory($"{folder}.{Environment.ProcessId}").FullName;
        foreach (var library in Directory.EnumerateFiles(torch).Where(library => Path.GetFileName(library) != Shim))
            File.CreateSymbolicLink(Path.Combine(fresh, Path.GetFileName(library)), library);
        File.WriteAllBytes(Path.Combine(fresh, Shim), shim);
        try
        {
            Directory.Move(fresh, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(fresh, recursive: true);
        }

        return folder;
    }
}
