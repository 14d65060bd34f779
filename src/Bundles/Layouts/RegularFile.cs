using System.Globalization;
using Dunlin.Bundles.Durability;

namespace Dunlin.Bundles.Layouts;

/// <summary>Opens files of a bundle without following a link out of it.</summary>
internal static class RegularFile
{
    /// <param name="path">A file below the bundle.</param>
    /// <param name="size">The exact size in bytes that it must have; null where only <paramref name="maximum"/> bounds it.</param>
    /// <param name="maximum">The most bytes that it may have.</param>
    internal static FileStream Open(string path, long? size, long maximum = long.MaxValue)
    {
        var handle = NativeFile.OpenForReading(path) switch
        {
            (NativeFile.OpenResult.Opened, { } opened) => opened,
            (NativeFile.OpenResult.Missing, _) => throw new BundleException(BundleProblem.MissingBlob,
                $"'{path}' is missing; fetch or build the bundle again."),
            _ => throw new BundleException(BundleProblem.NotRegularFile,
                $"'{path}' is a symbolic link, folder or special file; a bundle must hold regular files only. Copy the real file there."),
        };
        var file = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        if (size is { } exact && file.Length != exact)
        {
            var actual = file.Length;
            file.Dispose();
            throw BlobFile.Corrupt(path, string.Create(CultureInfo.InvariantCulture, $"it has {actual} bytes, and must have {exact}"));
        }
        if (file.Length > maximum)
        {
            file.Dispose();
            throw new BundleException(BundleProblem.Layout, string.Create(CultureInfo.InvariantCulture,
                $"'{path}' has more than {maximum} bytes, which no bundle's has; fetch or build the bundle again."));
        }
        return file;
    }

    internal static byte[] Read(string path, long? size, int maximum)
    {
        using var file = Open(path, size, maximum);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
